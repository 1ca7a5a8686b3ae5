"""The configuration of OMERO's nodes, by role and distribution."""

import json
import re

import pytest

from cloudinit import render
from harness import stacks
from model import balancing
from model.plan import Node, Plan
from model.roles import OMERO_ROLES, Role, applied_roles
from model.sizing import share_mib
from model.visitors import Visitors

VOLUMES = {"data": "89abcdef012345670123", "db": "79abcdef012345670123"}
PLAN = stacks.plan_of("ebi")
SECRETS = stacks.secrets_of("ebi")
PRIVATE = stacks.plan_of("institute")
WRITER, READER = (next(n for n in PLAN.nodes if n.alias == alias) for alias in ("omeroreadwrite", "omeroreadonly-2"))


def bundle(node: Node, plan: Plan = PLAN) -> dict[str, str]:
    content = json.loads(render.bundle(node, plan, SECRETS, VOLUMES))
    return {entry["path"]: entry["content"] for entry in content["files"]}


def test_only_a_readonly_server_is_set_to_write_nothing() -> None:
    flags = ("config set omero.cluster.read_only.db true", "config set omero.cluster.read_only.repo true")
    for node, expected in ((WRITER, False), (READER, True)):
        settings = bundle(node)["/opt/omero/server/config/idr.omero"]
        assert [flag in settings for flag in flags] == [expected, expected]


def settings_of(program: str, plan: Plan) -> dict[str, str]:
    """Return keys and values of the read-write server's own configuration, or of the OMERO.web beside it."""
    (node,) = plan.releases[0].with_role(Role.OMERO_READWRITE)
    lines = bundle(node, plan)[f"/opt/omero/{program}/config/idr.omero"].splitlines()
    pairs = (line.removeprefix("config set ").removeprefix("-- ").partition(" ") for line in lines)
    return {key: value for key, _, value in pairs if "." in key}


def test_where_users_log_in_the_server_runs_their_scripts_and_searches_and_watches_no_folder() -> None:
    omero_settings = settings_of("server", PRIVATE)
    services = set(omero_settings["omero.server.nodedescriptors"].removeprefix("master:").split(","))
    assert services == {"Blitz-0", "Indexer-0", "PixelData-0", "Processor-0", "Storm", "Tables-0"}
    # Users may download their own data, OMERO's default.
    assert "omero.policy.binary_access" not in omero_settings
    heaps = [
        int(value.removesuffix("m"))
        for key, value in omero_settings.items()
        if key.startswith("omero.jvmcfg.heap_size.")
    ]
    assert len(heaps) == 3
    (node,) = PRIVATE.releases[0].with_role(Role.OMERO_READWRITE)
    assert sum(heaps) < share_mib(node.flavor, node.roles, Role.OMERO_READWRITE)
    assert omero_settings["omero.ldap.urls"] == "ldaps://ldap.example.org:636"
    assert settings_of("server", PLAN)["omero.server.nodedescriptors"] == "master:Blitz-0,Tables-0"


def test_where_users_log_in_omero_web_lets_nobody_in_without() -> None:
    omero_settings = settings_of("web", PRIVATE)
    assert [key for key in omero_settings if key.startswith("omero.web.public.")] == []
    assert (omero_settings["omero.web.session_cookie_secure"], omero_settings["omero.web.csrf_cookie_secure"]) == (
        "true",
        "true",
    )
    (node,) = PRIVATE.releases[0].with_role(Role.WEB)
    assert omero_settings["omero.web.server_list"] == f'\'[["{node.address}", 4064, "omero"]]\''
    text = bundle(node, PRIVATE)["/opt/omero/web/config/idr.omero"]
    middleware = re.findall(r"\"idr_middleware\.(\w+)", text)
    assert middleware == ["NoCredentialsInAddress", "NoTraces"]
    assert "omero.web.public.enabled" in settings_of("web", stacks.plan_of("pilot"))


@pytest.mark.parametrize("layout", ["institute", "single-node"])
def test_web_and_programs_of_users_are_led_to_the_server_that_writes(layout: str) -> None:
    plan = stacks.with_settings(stacks.plan_of(layout), visitors=Visitors.LOGIN)
    release = plan.releases[0]
    assert balancing.omero(release) == release.with_role(Role.OMERO_READWRITE)


def test_each_server_logs_in_to_the_database_as_its_own_role() -> None:
    for node, user in ((WRITER, "omero"), (READER, "omeroreadonly")):
        node_bundle = bundle(node)
        password = SECRETS.password(f"prod130/database/{user}")
        assert f"DATABASE_USER={user}\n" in node_bundle["/etc/idr/omero/database.env"]
        assert node_bundle["/etc/idr/omero/database-password"].strip() == password
        assert f"omero.db.pass {password}\n" in node_bundle["/opt/omero/server/config/idr.omero"]


def test_the_root_password_is_on_the_readwrite_node_alone() -> None:
    root = SECRETS.password("prod130/omero/root")
    assert any(root in content for content in bundle(WRITER).values())
    assert not any(root in content for content in bundle(READER).values())


def test_files_are_shared_with_this_releases_readonly_nodes_and_nobody_else() -> None:
    exports = bundle(WRITER)["/etc/exports.d/idr.exports"]
    peers = {line.split()[1].split("(")[0] for line in exports.splitlines() if line.startswith("/")}
    assert peers == {str(node.address) for node in PLAN.release("prod130").nodes if "omero-readonly" in node.roles}
    assert "no_root_squash" not in exports
    of_data = [line for line in exports.splitlines() if line.startswith("/data/OMERO ")]
    assert len(of_data) == len(peers)
    assert all("(ro," in line for line in of_data)


def test_a_readonly_node_mounts_the_readwrite_nodes_files() -> None:
    mounts = bundle(READER)["/usr/local/lib/idr/nfs/mounts"]
    for source, point in (("/data/OMERO", "/data/OMERO-readonly"), ("/data/BioFormatsCache", "/data/BioFormatsCache")):
        assert f"\n{WRITER.address}:{source} {point} " in mounts
    assert f"{WRITER.address}:" not in bundle(WRITER)["/usr/local/lib/idr/nfs/mounts"]


@pytest.mark.parametrize(("release", "message"), [("prod130", "refused"), ("another", "allowed")])
def test_a_schema_is_upgraded_only_where_no_visitors_are(release: str, message: str) -> None:
    plan = stacks.with_settings(PLAN, live=release)
    writer = next(node for node in plan.nodes if node.name == WRITER.name)
    assert bundle(writer, plan)["/etc/idr/omero/upgrade"].strip() == message


def test_the_demo_distribution_shares_and_mounts_nothing() -> None:
    for role in OMERO_ROLES:
        assert applied_roles((role,), stacks.plan_of("local").settings.omero.distribution) == ("common", "omero-demo")


def test_official_without_sums_is_refused_by_name() -> None:
    missing = " ".join(stacks.settings("ebi").missing())
    assert all(f"omero.{part}" in missing for part in ("server", "ice", "icePython"))
