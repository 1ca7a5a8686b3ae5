"""What OMERO's nodes are told, by role and distribution."""

import json

import pytest

from cloudinit import render
from harness import stacks
from model.plan import Node, Plan
from model.roles import OMERO_ROLES, applied_roles

VOLUMES = {"data": "89abcdef012345670123"}
PLAN = stacks.plan_of("ebi")
SECRETS = stacks.secrets_of("ebi")
WRITER, READER = (next(n for n in PLAN.nodes if n.alias == alias) for alias in ("omeroreadwrite", "omeroreadonly-2"))


def bundle(node: Node, plan: Plan = PLAN) -> dict[str, str]:
    made = json.loads(render.bundle(node, plan, SECRETS, VOLUMES))
    return {entry["path"]: entry["content"] for entry in made["files"]}


def test_only_a_readonly_server_is_told_to_write_nothing() -> None:
    flags = ("config set omero.cluster.read_only.db true", "config set omero.cluster.read_only.repo true")
    for node, expected in ((WRITER, False), (READER, True)):
        settings = bundle(node)["/opt/omero/server/config/idr.omero"]
        assert [flag in settings for flag in flags] == [expected, expected]


def test_each_server_logs_in_to_the_database_as_its_own_role() -> None:
    for node, user in ((WRITER, "omero"), (READER, "omeroreadonly")):
        made = bundle(node)
        password = SECRETS.password(f"prod130/database/{user}")
        assert f"DATABASE_USER={user}\n" in made["/etc/idr/omero/database.env"]
        assert made["/etc/idr/omero/database-password"].strip() == password
        assert f"omero.db.pass {password}\n" in made["/opt/omero/server/config/idr.omero"]


def test_the_root_password_is_on_the_readwrite_node_alone() -> None:
    root = SECRETS.password("prod130/omero/root")
    assert any(root in content for content in bundle(WRITER).values())
    assert not any(root in content for content in bundle(READER).values())


def test_files_are_shared_with_this_releases_readonly_nodes_and_nobody_else() -> None:
    exports = bundle(WRITER)["/etc/exports.d/idr.exports"]
    peers = {line.split()[1].split("(")[0] for line in exports.splitlines() if line.startswith("/")}
    assert peers == {str(node.address) for node in PLAN.release("prod130").nodes if "omero-readonly" in node.roles}
    assert "no_root_squash" not in exports
    assert all("(ro," in line for line in exports.splitlines() if line.startswith("/data/OMERO "))


def test_a_readonly_node_mounts_the_readwrite_nodes_files_and_the_sites() -> None:
    mounts = bundle(READER)["/usr/local/lib/idr/nfs/mounts"]
    for source, point in (("/data/OMERO", "/data/OMERO-readonly"), ("/data/BioFormatsCache", "/data/BioFormatsCache")):
        assert f"\n{WRITER.address}:{source} {point} " in mounts
    assert all(f"{mount.source} {mount.mount} " in mounts for mount in PLAN.settings.nfs_mounts)
    assert f"{WRITER.address}:" not in bundle(WRITER)["/usr/local/lib/idr/nfs/mounts"]


@pytest.mark.parametrize(("release", "said"), [("prod130", "refused"), ("another", "allowed")])
def test_a_schema_is_upgraded_only_where_no_visitors_are(release: str, said: str) -> None:
    plan = stacks.with_settings(PLAN, live=release)
    assert bundle(WRITER, plan)["/etc/idr/omero/upgrade"].strip() == said


def test_the_demo_distribution_shares_and_mounts_nothing() -> None:
    for role in OMERO_ROLES:
        assert applied_roles((role,), stacks.plan_of("local").settings.omero.distribution) == ("common", "omero-demo")


def test_official_without_sums_is_refused_by_name() -> None:
    missing = " ".join(stacks.settings("ebi").missing())
    assert all(f"omero.{part}" in missing for part in ("server", "ice", "icePython"))
