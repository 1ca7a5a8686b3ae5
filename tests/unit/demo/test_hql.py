"""Parsing queries in the forms that OMERO.web writes."""

import pytest
from demo_image_server.hql import Condition, Join, UnknownQueryError, inner_query, parse, split_list


def test_objects_of_a_class() -> None:
    query = parse(
        "select obj from Plate as obj join fetch obj.details.owner as owner"
        " left outer join fetch obj.screenLinks spl left outer join fetch spl.parent sc"
        " where spl.parent.id = :sid order by lower(obj.name), obj.id",
        {"sid": 1},
    )
    assert (query.entity, query.alias, query.columns) == ("Plate", "obj", ("obj",))
    assert query.joins == (
        Join("obj.details.owner", "owner", required=True),
        Join("obj.screenLinks", "spl", required=False),
        Join("spl.parent", "sc", required=False),
    )
    assert query.conditions == (Condition("spl.parent.id", (1,), negated=False),)
    assert query.order == "lower(obj.name), obj.id"


def test_maps_with_a_sub_query() -> None:
    query = parse(
        """select new map(screen.id as id, screen as screen_details_permissions,
           (select count(spl.id) from ScreenPlateLink spl where spl.parent=screen.id) as childCount)
           from Screen screen where screen.details.owner.id = :id""",
        {"id": 2},
    )
    assert query.keys == ("id", "screen_details_permissions", "childCount")
    assert query.columns[2].startswith("<select_count")
    assert query.conditions == (Condition("screen.details.owner.id", (2,), negated=False),)


def test_orphans() -> None:
    query = parse(
        "select count(image.id) from Image image where not exists"
        " (select ws from WellSample ws where ws.image.id = image.id)",
        {},
    )
    assert query.conditions == ()
    assert "WellSample" in query.absent[0]


def test_lists_and_literals() -> None:
    query = parse("from Image i where i.id in (:ids) and i.name != 'x' and i.row = 3", {"ids": [1, 2]})
    assert query.columns == ("i",)
    assert query.conditions == (
        Condition("i.id", (1, 2), negated=False),
        Condition("i.name", ("x",), negated=True),
        Condition("i.row", (3,), negated=False),
    )


def test_patterns_as_the_auto_completion_asks() -> None:
    query = parse(
        """select new map(mv.value as value) from ImageAnnotationLink ial join ial.child a join a.mapValue mv
           where a.ns in (:ns) and mv.value != '' and lower(mv.value) like :query and lower(mv.value) not like :query2
           group by mv.value order by lower(mv.value)""",
        {"ns": ["genes"], "query": "%o1%", "query2": "d\\_%"},
    )
    assert query.grouped
    _, named, like, unlike = query.conditions
    assert [named.holds_for(value) for value in ("", "DEMO1")] == [False, True]
    assert [like.holds_for(value) for value in ("demo1", "demo2", "o1")] == [True, False, True]
    assert [unlike.holds_for(value) for value in ("d_1", "demo1")] == [False, True]


def test_annotations_of_one_kind() -> None:
    query = parse(
        "select oal from ImageAnnotationLink as oal left outer join fetch oal.child as ch"
        " where ch.class=MapAnnotation and ch.class!=TagAnnotation",
        {},
    )
    assert [condition.holds_for("MapAnnotation") for condition in query.conditions] == [True, True]
    assert parse("select distinct a from Annotation a join a.mapValue mv", {}).entity == "MapAnnotation"
    assert parse("select a from Annotation a", {}).entity == "Annotation"


def test_brackets_around_what_is_asked_for() -> None:
    assert parse("select distinct (a) from ImageAnnotationLink ial join ial.child a", {}).columns == ("a",)
    assert parse("select distinct(roi.id) from Roi roi", {}).columns == ("roi.id",)


def test_the_query_in_the_brackets_of_another() -> None:
    inner = "select image.id from ImageAnnotationLink ial where plate.id = :pid order by lower(image.name)"
    outer = "select i from Image i where i.id in (:ids) order by i.id"
    assert inner_query(outer.replace(":ids", inner)) == inner
    assert inner_query(outer) == ""


def test_no_alias() -> None:
    query = parse("select max(row), max(column) from Well where plate.id = :id", {"id": 1})
    assert (query.alias, query.columns) == ("", ("max(row)", "max(column)"))


def test_commas_in_brackets_do_not_split() -> None:
    assert split_list("a, coalesce(b, c), d") == ["a", "coalesce(b, c)", "d"]


def test_what_is_no_query() -> None:
    with pytest.raises(UnknownQueryError):
        parse("delete everything", {})
