"""The proxy's answers for applications beside OMERO.web, both served and not served by the release."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness import proxy, stacks
from model.plan import Plan
from model.planning import plan
from model.reading import Source, parse
from tests.unit.frontend import upstream as upstreams
from tests.unit.frontend.clients import Front, fronting

PAGES = {
    "iviewer": ("/iviewer/?images=1", "/iviewer/image_data/1/"),
    "figure": ("/figure/", "/figure/imgData/1/"),
    "mapr": ("/mapr/api/config/", "/mapr/api/gene/?value=x"),
    "gallery": ("/gallery-api/thumbnails/?screen=1", "/gallery_settings/", "/study/idr0001/", "/search/"),
}
"""A few addresses of each."""
NEVER = ("/iviewer/persist_rois/", "/figure/save_web_figure/", "/mapr/favicon/", "/link_check/?url=http://x")


OF_SITE = {
    "django": "omero_tags",
    "label": "tags",
    "addresses": [
        {"path": "^$", "answer": "page"},
        {"path": r"^api/(?P<kind>image|plate)/(?P<iid>[0-9]{1,9})/$", "answer": "metadata", "arguments": ["limit"]},
    ],
}


def plan_with(*apps: str) -> Plan:
    """Return the plan of the stack `local` with these applications; it also knows `tags`."""
    values = stacks.values("local")
    values["web"] = {"apps": list(apps), "siteApps": {"tags": OF_SITE}}
    return plan(parse(values, Source("local", "Pulumi.local.yaml")), "local")


@contextmanager
def serving(folder: Path, *apps: str) -> Iterator[Front]:
    """Run the proxy of a release with these applications."""
    stack_plan = plan_with(*apps)
    with upstreams.running(proxy.certificate(stack_plan)) as upstream, fronting(folder, stack_plan, upstream) as front:
        yield front


@pytest.mark.parametrize("app", PAGES)
def test_only_what_is_served_is_open(tmp_path: Path, app: str) -> None:
    with serving(tmp_path, app) as front:
        for name, paths in PAGES.items():
            statuses = {front.get(path).status_code for path in paths}
            assert statuses == ({200} if name == app else {404}), name
        assert front.upstream.asked == dict.fromkeys(PAGES[app], 1)
        assert {front.get(path).status_code for path in NEVER} == {404}


def test_an_answer_of_one_is_kept_by_its_kind(front: Front) -> None:
    for path in ("/iviewer/image_data/1/", "/figure/imgData/1/", "/mapr/api/config/", "/gallery_settings/"):
        states = [front.get(path).headers["x-cache-status"] for _ in range(2)]
        assert states == ["MISS", "HIT"], path


def test_one_of_the_sites_own_is_answered_and_kept_as_the_stack_file_says(tmp_path: Path) -> None:
    with serving(tmp_path, "tags") as front:
        assert front.get("/tags/?x=1").status_code == 200
        kept = [front.get(f"/tags/api/plate/7/?limit=5&_={number}") for number in range(2)]
        assert [answer.headers["x-cache-status"] for answer in kept] == ["MISS", "HIT"]
        assert front.get("/tags/api/plate/7/?limit=6").headers["x-cache-status"] == "MISS"
        assert front.upstream.asked == {
            "/tags/?x=1": 1,
            **dict.fromkeys((f"/tags/api/plate/7/?limit={limit}" for limit in (5, 6)), 1),
        }
        for path in ("/tags/api/well/7/", "/tags/x/", "/tags/api/plate/", "/tags/api/plate/1234567890/"):
            assert front.get(path).status_code == 404, path


def test_with_other_applications_a_viewers_page_is_fetched_again_and_pictures_are_not(tmp_path: Path) -> None:
    picture, viewer = "/webgateway/render_image/1/0/0/", "/webclient/img_detail/1/"
    for apps, states in ((("iviewer",), ["MISS", "MISS"]), (("iviewer",), ["HIT", "HIT"]), ((), ["HIT", "MISS"])):
        with serving(tmp_path, *apps) as front:
            assert [front.get(path).headers["x-cache-status"] for path in (picture, viewer)] == states, apps


def test_the_first_page_is_the_gallerys_where_it_is_served_and_everybodys_data_elsewhere(tmp_path: Path) -> None:
    with serving(tmp_path / "with", "gallery") as front:
        assert front.get("/").status_code == 200
        assert front.upstream.asked == {"/": 1}
        assert front.get("/webclient/").status_code == 302
    with serving(tmp_path / "without", "iviewer", "figure", "mapr") as front:
        for path in ("/", "/?x=1"):
            assert front.get(path).headers["location"].endswith("/webclient/?experimenter=-1"), path
        assert not front.upstream.asked


def test_pages_load_from_other_sites_only_what_one_that_is_served_needs(tmp_path: Path) -> None:
    with serving(tmp_path / "with", "gallery") as front:
        policy = front.get("/").headers["content-security-policy"]
        assert "frame-src 'self' https://www.youtube.com" in policy
    with serving(tmp_path / "without", "iviewer", "figure", "mapr") as front:
        assert "https:" not in front.get("/iviewer/").headers["content-security-policy"]
