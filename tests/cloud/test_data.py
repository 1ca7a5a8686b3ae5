"""A volume grows, and a machine is rebuilt: the order of the steps, and the data in the database stay."""

from itertools import pairwise

import pytest

from harness.cloud.tenant import Tenant
from harness.steps import Step, lines_of, replaced

pytestmark = pytest.mark.cloud

RELEASE = "demo1"
ROW = "sudo -u postgres psql -XqtA idr -c '{}'"


def volumes(stack: Tenant) -> dict[str, str]:
    return {volume.name: volume.id for volume in stack.cloud().block_storage.volumes()}


def test_a_volume_grows_in_place_and_its_filesystem_with_it(second: Tenant) -> None:
    before = volumes(second)
    releases = second.settings("releases")
    releases[RELEASE]["nodes"]["database"]["volumes"]["db"]["sizeGib"] = 2
    second.configure(idr_releases=releases)
    steps = second.apply()
    # The node is configured as well: it waits for the larger disk and lets the filesystem fill it.
    assert sorted(lines_of(steps)) == [f"update Command {RELEASE}-database", f"update Volume {RELEASE}-database-db"]
    size = second.service().on(f"{RELEASE}-database", "df -B1 --output=size /var/lib/postgresql | tail -n 1")
    assert int(size) > 1.5 * 2**30
    assert volumes(second) == before


def test_a_rebuild_stops_detaches_deletes_creates_attaches_and_configures_in_that_order(second: Tenant) -> None:
    name = f"{RELEASE}-database"
    second.service().on(name, ROW.format("create table kept as select 130 as release"))
    before, kept = second.servers(), volumes(second)
    releases = second.settings("releases")
    releases[RELEASE]["rebuild"] = {"database": 2}
    second.configure(idr_releases=releases)
    steps = second.apply()
    assert replaced(steps, "Instance") == {name}
    assert replaced(steps) == {name, f"{name}-db"}, lines_of(steps)
    order = [
        one(steps, "delete-replaced", "remote:Command"),
        one(steps, "delete-replaced", "local:Command"),
        one(steps, "delete-replaced", "VolumeAttach"),
        one(steps, "delete-replaced", "Instance"),
        one(steps, "create-replacement", "Instance"),
        one(steps, "create-replacement", "VolumeAttach"),
        one(steps, "create-replacement", "local:Command"),
        one(steps, "create-replacement", "remote:Command"),
    ]
    for step, following in pairwise(order):
        assert step.ended < following.began, f"{step} had not ended when {following} began"
    assert volumes(second) == kept
    now = second.servers()
    assert {name for name in now if now[name] != before[name]} == {f"idr-local-{name}"}
    assert second.service().on(name, ROW.format("select release from kept")) == "130"
    assert actions(second, before[f"idr-local-{name}"]) == ["detach_volume", "delete"]


def one(steps: tuple[Step, ...], op: str, kind: str) -> Step:
    matching = [step for step in steps if step.op == op and step.type.endswith(f":{kind}")]
    assert len(matching) == 1, lines_of(steps)
    return matching[0]


def actions(stack: Tenant, server: str) -> list[str]:
    """Return Nova's last actions on a server, the oldest first; Nova also keeps those of deleted servers."""
    compute = stack.cloud().compute
    entries = compute.get(f"/servers/{server}/os-instance-actions", microversion="2.21").json()["instanceActions"]
    named = [action["action"] for action in sorted(entries, key=lambda action: str(action["start_time"]))]
    return named[-2:]
