"""The objects of the project, compared with those in the state: no data is deleted, and no object of others changes."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.comparison import DATA, Adoption, CloudObject, Comparison, Kind, KnownObject, compare, expected
from tests.unit.model.small_clouds import local

PLAN = expected(local({"storage": [{"kind": "share", "name": "raw", "mount": "/uod/idr", "sizeGib": 4}]}))
VOLUME = "idr-local-demo1-database-db"
SHARE = "idr-local-raw"
RULE = "idr-local-demo1-redis: ingress tcp 6379 idr-local-demo1-web"


def cloud_object(kind: Kind, key: str, name: str = "", *parents: str, stack: str | None = "local") -> CloudObject:
    return CloudObject(kind, key, name or key, stack, frozenset(parents))


# One of each kind, in the order of creation.
OWNED = (
    cloud_object(Kind.ROUTER, "router"),
    cloud_object(Kind.NETWORK, "network"),
    cloud_object(Kind.SUBNET, "subnet", "", "network"),
    cloud_object(Kind.ROUTER_PORT, "router-port", "", "network", stack=None),
    cloud_object(Kind.SECURITY_GROUP, "group"),
    cloud_object(Kind.RULE, "rule", RULE, "group", stack=None),
    cloud_object(Kind.FLOATING_IP, "address"),
    cloud_object(Kind.PORT, "port", "", "network"),
    cloud_object(Kind.VOLUME, "volume", VOLUME),
    cloud_object(Kind.SERVER, "server", "", "port"),
    cloud_object(Kind.ATTACHMENT, "server/volume", "", "server", "volume", stack=None),
    cloud_object(Kind.SHARE, "share", SHARE),
    cloud_object(Kind.ACCESS, "share/rule", "", "share", "port", stack=None),
)
OTHERS = tuple(
    replace(
        one,
        id=f"other-{one.id}",
        stack=one.stack and "local-blue",
        parents=frozenset(f"other-{parent}" for parent in one.parents),
    )
    for one in OWNED
)


def known(*objects: CloudObject) -> list[KnownObject]:
    names = {one: PLAN.data.get((one.kind, one.name), one.name) for one in objects}
    return [KnownObject(one.kind, one.id, names[one], one.kind in DATA) for one in objects]


def compared(listing: tuple[CloudObject, ...], *in_state: CloudObject) -> Comparison:
    return compare(listing, known(*in_state), PLAN)


def depend_on(one: CloudObject) -> set[str]:
    """Return the ids of objects that are created after `one`."""
    direct = {other.id for other in OWNED if one.id in other.parents}
    return direct.union(*(depend_on(other) for other in OWNED if other.id in direct))


@given(st.permutations(OTHERS), st.data())
def test_what_state_and_cloud_both_have_is_left_alone(others: list[CloudObject], data: st.DataObject) -> None:
    listing = tuple(data.draw(st.permutations([*OWNED, *others])))
    assert compared(listing, *OWNED) == Comparison((), (), (), (), (), foreign=False)


@pytest.mark.parametrize("cut", OWNED, ids=lambda one: one.kind.value)
def test_the_object_whose_creation_was_cut_off_is_deleted_or_adopted(cut: CloudObject) -> None:
    later = depend_on(cut)
    listing = tuple(one for one in OWNED if one.id not in later)
    difference = compared((*listing, *OTHERS), *(one for one in listing if one != cut))
    assert difference.blocking == (cut,)
    assert not difference.foreign
    assert (difference.delete == ()) == (cut.kind in DATA)


@given(st.sets(st.sampled_from(OWNED)), st.sets(st.sampled_from(OWNED)))
def test_no_data_and_nothing_of_another_stack_is_ever_deleted(
    in_cloud: set[CloudObject], in_state: set[CloudObject]
) -> None:
    difference = compared((*in_cloud, *OTHERS), *in_state)
    touched = {*difference.delete, *difference.extra_rules, *(one.data for one in difference.adopt)}
    assert not [one for one in (*difference.delete, *difference.extra_rules) if one.kind in DATA]
    assert not touched.intersection(OTHERS)
    assert not touched.intersection(in_state)
    assert {(one.kind, one.id) for one in difference.deleted} == {(one.kind, one.id) for one in in_state - in_cloud}


@given(st.permutations([one for one in OWNED if one.kind not in DATA]))
def test_leftovers_are_deleted_in_an_order_that_works(leftovers: list[CloudObject]) -> None:
    data = [one for one in OWNED if one.kind in DATA]
    order = [one.id for one in compared((*leftovers, *data), *data).delete]
    for one in leftovers:
        for parent in one.parents.intersection(order):
            assert one.id not in order or order.index(one.id) < order.index(parent)


def test_a_whole_stack_that_the_state_does_not_know_is_another_states() -> None:
    assert compared(OWNED).foreign


def test_the_rules_of_a_group_go_with_it() -> None:
    group, rule = (one for one in OWNED if one.kind in (Kind.SECURITY_GROUP, Kind.RULE))
    assert compared((group, rule)).delete == (group,)


def test_a_port_opened_by_hand_is_no_collision() -> None:
    group = next(one for one in OWNED if one.kind == Kind.SECURITY_GROUP)
    opened = cloud_object(
        Kind.RULE, "by-hand", "idr-local-demo1-redis: ingress tcp 6379 0.0.0.0/0", "group", stack=None
    )
    difference = compared((group, opened), group)
    assert (difference.extra_rules, difference.blocking) == ((opened,), ())


def volumes(*ids: str) -> tuple[CloudObject, ...]:
    return tuple(cloud_object(Kind.VOLUME, key, VOLUME) for key in ids)


def test_a_volume_beside_the_known_one_is_left_to_the_operator() -> None:
    ours, stranger = volumes("ours", "stranger")
    difference = compared((ours, stranger), ours)
    assert [(one.data, one.blocks) for one in difference.undecided] == [(stranger, False)]
    assert difference.blocking == ()


def test_of_two_volumes_that_nobody_knows_none_is_chosen() -> None:
    both = volumes("one", "other")
    difference = compared(both)
    assert difference.adopt == ()
    assert difference.blocking == both


def test_a_volume_in_error_is_not_adopted() -> None:
    failed = replace(volumes("one")[0], status="error")
    assert (compared((failed,)).adopt, compared((failed,)).blocking) == ((), (failed,))


def test_a_share_that_the_state_does_not_know_is_adopted_by_its_name_in_the_plan() -> None:
    share = cloud_object(Kind.SHARE, "share", SHARE)
    assert compared((share,)).adopt == (Adoption(share, "raw"),)
    # The name of a share is not the name of a volume.
    assert compared((cloud_object(Kind.VOLUME, "other", SHARE),)).adopt == ()


def test_a_rule_for_somebody_elses_machine_is_a_guests() -> None:
    share = cloud_object(Kind.SHARE, "share", SHARE)
    rule = cloud_object(Kind.ACCESS, "share/hand", "", "share", "192.0.2.9", stack=None)
    difference = compared((share, rule), share)
    assert (difference.guests, difference.blocking, difference.extra_rules) == ((rule,), (), ())


def test_a_volume_that_no_node_of_the_plan_has_is_named() -> None:
    retired = cloud_object(Kind.VOLUME, "old", "idr-local-demo0-database-db")
    difference = compared((retired,))
    assert [(one.data, one.blocks) for one in difference.undecided] == [(retired, False)]
