"""Roles of a site that exclude each other, one of the program's, or another one on the same node."""

import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from harness import stacks
from harness.stacks import ROOT
from idr.review import affected
from model import addresses
from model.overrides import merge
from model.reading import SettingsError, Source, parse
from model.site_folder import APART
from tests import site_roles
from tests.site_roles import ROLE, VOLUME, change, copied, plan_of, reduce
from tests.unit.model.test_bad_site_roles import YAML


def test_two_roles_of_a_site_have_nothing_in_common(tmp_path: Path) -> None:
    given = copied(tmp_path, ROLE, "other")
    for role, mark in ((ROLE, "pages"), ("other", "pages")):
        change(tmp_path, role, node={"volume": VOLUME | {"name": mark}})
    with pytest.raises(SettingsError) as caught:
        plan_of(given, tmp_path)
    lines = str(caught.value).splitlines()
    other = "site/other/role.yaml: "
    assert f"{other}node.firstHost: 61 to 69 overlaps the addresses of about" in lines
    assert f"{other}inventoryGroup: 'about-hosts' is that of about" in lines
    assert f"{other}services.0.unit: 'about-page' is a unit of about" in lines
    assert f"{other}locations: /about/ and /about/ of about are one inside the other" in lines
    assert f"{other}node.volume: 'pages' is that of about" in lines
    assert "site/other/files.yaml: /etc/about/nginx.conf: is a file of the role about" in lines


def test_a_flow_between_two_roles_of_a_site_is_declared_by_the_one_that_is_called(tmp_path: Path) -> None:
    given = copied(tmp_path, ROLE, "other")
    change(tmp_path, flows=[{"to": "other", "ports": [9200], "why": "searches"}])
    with pytest.raises(SettingsError) as caught:
        plan_of(given, tmp_path)
    wanted = "flows.0.to: other is a role of the site: say there that about calls it, with `from: about`"
    assert f"{YAML}: {wanted}" in str(caught.value).splitlines()


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (
            "/srv/about/index.html/x: {source: files.yaml}",
            "/srv/about/index.html/x: cannot be in /srv/about/index.html, which is a file of the role about",
        ),
        ("/srv/about: {source: files.yaml}", "/srv/about: cannot be a file: the role about has files in it"),
    ],
)
def test_a_file_of_one_role_is_no_folder_of_another(tmp_path: Path, files: str, message: str) -> None:
    given = copied(tmp_path, ROLE, "other")
    reduce(tmp_path, "other", files)
    with pytest.raises(SettingsError) as caught:
        plan_of(given, tmp_path)
    assert f"site/other/files.yaml: {message}" in str(caught.value).splitlines()


def test_no_volume_is_mounted_in_another_or_over_a_file(tmp_path: Path) -> None:
    given = copied(tmp_path, ROLE, "other")
    inner = {"name": "inner", "mount": "/srv/about/index.html", "required": False}
    change(tmp_path, node={"volume": VOLUME})
    reduce(tmp_path, "other", node={"volume": inner})
    with pytest.raises(SettingsError) as caught:
        plan_of(given, tmp_path)
    assert str(caught.value).splitlines() == [
        "site/other/role.yaml: node.volume: /srv/about/index.html and /srv/about of about are one inside the other",
        "site/about/files.yaml: /srv/about/index.html: cannot be a file: the volume of other is mounted at "
        "/srv/about/index.html",
    ]


SETTING = {
    "a" * 300: f"must be a folder of the checkout, as in site/ (given: '{'a' * 300}')",
    "site": "there is no folder 'site' beside the stack file",
    "/etc": "must be a folder of the checkout, as in site/ (given: '/etc')",
    "../site": "must be a folder of the checkout, as in site/ (given: '../site')",
    "docs": "cannot be in docs/: the review takes no change there for a change of a stack",
    "empty": "'empty' has no role in it: a folder with a role.yaml",
}


@pytest.mark.parametrize("setting", SETTING)
def test_a_setting_that_names_no_folder_of_roles_is_refused(setting: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(SettingsError) as caught:
        plan_of(stacks.values("local") | {"siteRoles": setting}, tmp_path)
    assert str(caught.value) == f"Pulumi.local.yaml: idr:siteRoles: {SETTING[setting]}"


def test_an_unknown_role_of_a_node_is_named_with_those_of_the_site() -> None:
    given = site_roles.values()
    given["releases"]["demo1"]["nodes"]["about"]["roles"] = ["abuot"]
    with pytest.raises(
        SettingsError, match=r"nodes\.about\.roles\.0: must be one of 'bastion', .*'about' \(given: 'abuot'\)"
    ):
        plan_of(given)


def test_two_roles_on_one_node_that_listen_on_one_port_are_refused(tmp_path: Path) -> None:
    given = copied(tmp_path)
    change(tmp_path, locations=[{"path": "/about/", "port": 6379}], metrics=None, flows=[])
    given["releases"]["demo1"]["nodes"]["redis"]["roles"] = ["redis", ROLE]
    with pytest.raises(SettingsError, match="redis and about both listen on 6379: they cannot be on one node"):
        plan_of(given, tmp_path)


@pytest.mark.parametrize(("roles", "is_there"), [([ROLE], False), (["redis", ROLE], True)])
def test_a_role_is_on_a_node_with_what_it_uses(tmp_path: Path, roles: list[str], *, is_there: bool) -> None:
    given = copied(tmp_path)
    change(tmp_path, beside=["database", "redis"])
    nodes = given["releases"]["demo1"]["nodes"]
    del nodes["about"]
    nodes["redis"]["roles"] = roles if is_there else ["redis"]
    nodes |= {} if is_there else {"about": {"roles": roles, "flavor": "local.small"}}
    if is_there:
        plan_of(given, tmp_path)
        return
    with pytest.raises(SettingsError, match=r"nodes\.about: roles: about uses what database or redis has: put it on a"):
        plan_of(given, tmp_path)


def test_the_image_region_service_is_not_planned_without_an_omero_server() -> None:
    given = merge(stacks.values("idr"), yaml.safe_load((ROOT / "examples/image-region/idr.yaml").read_text()))
    source = Source("idr", "Pulumi.idr.yaml", folder=ROOT)
    parse(given, source)
    given["releases"]["prod130"]["nodes"]["proxy"]["roles"] = ["proxy", "image-region"]
    with pytest.raises(SettingsError, match="image-region uses what omero-readonly or omero-readwrite has"):
        parse(given, source)


def test_raw_images_are_not_mounted_over_a_roles_volume(tmp_path: Path) -> None:
    given = copied(tmp_path) | {"nfsMounts": [{"source": "nfs:/pages", "mount": VOLUME["mount"]}]}
    change(tmp_path, node={"volume": VOLUME})
    with pytest.raises(SettingsError, match="nfsMounts: /srv/about is mounted twice"):
        plan_of(given, tmp_path)


def test_a_release_cannot_have_the_name_of_its_group() -> None:
    given = site_roles.values()
    given["releases"] = {ROLE: given["releases"]["demo1"]}
    given["live"] = ROLE
    with pytest.raises(SettingsError, match=r"releases\.about: cannot have this name: it is that of a role"):
        plan_of(given)


def test_the_review_previews_each_change_below_a_folder_that_may_have_roles() -> None:
    folders = {pattern.removesuffix("/*") for pattern in affected.APART if pattern.endswith("/*")}
    assert {folder for folder in folders if not folder.startswith(".")} == set(APART)


@pytest.mark.parametrize("address", addresses.table(), ids=lambda address: f"{address.prefix}{address.pattern}")
def test_no_location_can_begin_as_an_address_of_omero_web(address: addresses.Address) -> None:
    first = re.match(r"[\w.-]*", address.regex.replace("\\", ""))
    assert first
    assert not first[0] or addresses.hidden_by(f"/{first[0]}/")


@given(
    st.lists(st.from_regex("[A-Za-z0-9_-][A-Za-z0-9._-]{0,9}", fullmatch=True), min_size=1, max_size=3),
    st.text("abz/?.-0", max_size=9),
)
def test_a_location_that_is_accepted_answers_no_address_of_omero_web(parts: list[str], rest: str) -> None:
    path = f"/{'/'.join(parts)}/"
    if addresses.hidden_by(path) is None:
        asked = f"{path}{rest}".removeprefix("/")
        assert not [address for address in addresses.table() if re.fullmatch(address.regex, asked)]
