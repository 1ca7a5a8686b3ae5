"""The table of addresses, compared with OMERO.web's own patterns, and the proxy compared with the table."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.stacks import ROOT
from model import addresses, web_apps
from model.caching import KINDS
from tests.unit.frontend.clients import Front

LISTED = Path(__file__).with_name("addresses.txt")
"""Every pattern of OMERO.web and the applications, by `python -m dev.web_addresses`."""

CLOSED = tuple(address for address in addresses.table() if address.answer == addresses.CLOSED)
EVERY_APP = tuple(web_apps.table())
OPENED = re.compile(addresses.url_filter(EVERY_APP))


def listed() -> list[str]:
    return [line for line in LISTED.read_text().splitlines() if not line.startswith("#")]


def test_somebody_has_decided_about_each_address_of_omero_web_and_its_applications() -> None:
    decided = [f"{address.prefix} {address.pattern}" for address in addresses.table() if address.prefix != "static/"]
    assert sorted(decided) == sorted(listed())


def test_the_list_is_of_the_omero_web_that_is_installed() -> None:
    version = re.search(
        r"^omero-web(?:\[\w+\])?==(\S+)", (ROOT / "cloudinit/web/requirements.in").read_text(), re.MULTILINE
    )
    assert version
    assert LISTED.read_text().splitlines()[0] == f"# omero-web=={version[1]}"


def test_each_answer_is_a_kind_that_the_cache_knows_and_each_set_of_arguments_is_there() -> None:
    answers = {address.answer for address in addresses.table()}
    assert answers == {kind.name for kind in KINDS} | {addresses.PAGE, addresses.CLOSED}
    used = {address.arguments for address in addresses.table()} - {addresses.ANY}
    assert used == set(addresses.known_arguments())


def test_only_pages_and_closed_addresses_have_any_arguments() -> None:
    free = {address.answer for address in addresses.table() if address.arguments == addresses.ANY}
    assert free == {addresses.PAGE, addresses.CLOSED}


def sample(address: addresses.Address) -> st.SearchStrategy[str]:
    """Return paths that OMERO.web accepts for that address."""
    return st.from_regex(f"/(?:{address.regex})", fullmatch=True, alphabet=st.characters(codec="ascii"))


@pytest.mark.parametrize("address", CLOSED, ids=lambda address: f"{address.prefix}{address.pattern}")
def test_no_pattern_opens_what_another_one_closes(address: addresses.Address) -> None:
    @settings(max_examples=10, deadline=None, database=None)
    @given(sample(address))
    def closed(path: str) -> None:
        assert not OPENED.search(path)

    closed()


@given(st.sampled_from(addresses.opened(EVERY_APP)).flatmap(sample))
@settings(max_examples=60, deadline=None)
def test_omero_webs_own_filter_opens_what_the_proxy_opens(path: str) -> None:
    assert path.startswith("/static/") or OPENED.search(path)


SHUT = [
    *("/webadmin/login/", "/webadmin/", "/webadmin/forgottenpassword/", "/webadmin/myaccount/"),
    *("/feedback/feedback/", "/feedback/comment/", "/webgateway/su/demo/", "/webgateway/render_movie/1/z/0/"),
    *("/webgateway/render_ome_tiff/i/1/", "/webgateway/archived_files/download/1/", "/webgateway/saveImgRDef/1/"),
    *("/webclient/action/addnewcontainer/", "/webclient/annotate_tags/", "/webclient/script_run/1/"),
    *(
        "/api/v0/m/save/",
        "/api/v0/servers/",
        "/iviewer/persist_rois/",
        "/figure/save_web_figure/",
        "/link_check/",
        "/mapr/favicon/",
    ),
    *("/metrics", "/admin/", "/webclient/new_in_the_next_version/", "/webgateway/../webadmin/login/"),
    *("/webadmin%2flogin/", "/webadmin//login/", "/WEBADMIN/login/", "/webadmin/login/%0a", "/webadmin/myphoto/%0a"),
    *("/webgateway/histogram_json/1/channel/0/%3FtheZ=5", "/static/x%3Fa", "/static/x%23a", "/webclient/%00"),
]


def test_what_the_table_does_not_open_is_closed(front: Front) -> None:
    for path in SHUT:
        for ask in (front.visitor, front.operator):
            statuses = {ask.request(method, path).status_code for method in ("GET", "POST", "PUT", "DELETE")}
            assert statuses <= {400, 404}, path
    assert not front.upstream.asked
