"""The deployed version, with every role, is updated in place, on a cloud and machines that are only recorded."""

from pathlib import Path
from typing import Any

import pytest

from harness import stacks, steps
from tests import deployed
from tests.engine import commands
from tests.fake_cloud.cloud import FakeCloud
from tests.fake_cloud.project import STACK, CloudProject, local_stack

pytestmark = pytest.mark.engine

STAYS = ("Instance", "Volume", "VolumeAttach", "Port", "FloatingIp", "Network", "Subnet", "Router", "RouterInterface")
"""Kinds of objects on which visitors, operators and data depend."""
CONFIGURATION, STOP = "command:remote:Command", "command:local:Command"


def set_as_then(config: dict[str, Any]) -> None:
    """Give a stack file the settings of that commit."""
    for key, value in deployed.settings_of_local().items():
        config.pop(key, None)
        if value is not None:
            config[key] = value


def deploy(cloud: FakeCloud, machines: dict[str, str], folder: Path) -> CloudProject:
    """Deploy a stack with every role and with data, by the deployed version."""
    project = local_stack(cloud, folder)
    project.variables.update(machines)
    deployed.put_program(project.folder, deployed.COMMIT)
    project.change(set_as_then)
    changes = {"idr:configure": True, "idr:operators": [stacks.OPERATOR_KEY], "idr:releases": stacks.small_ebi()}
    project.change(lambda config: config.update(changes))
    updated = project.pulumi("up", "--yes", "--skip-preview", "--stack", STACK)
    assert updated.returncode == 0, updated.stdout + updated.stderr
    return project


def ids(cloud: FakeCloud) -> dict[str, set[Any]]:
    """Return the ids of the cloud's objects, by kind."""
    kinds = ("servers", "volumes", "ports", "floatingips", "networks", "subnets", "routers")
    return {kind: {one["id"] for one in cloud.store.all(kind)} for kind in kinds}


def test_servers_volumes_ports_and_addresses_stay(tmp_path: Path) -> None:
    with FakeCloud() as cloud, commands.played() as (machines, variables):
        project = deploy(cloud, variables, tmp_path)
        before = ids(cloud)
        configured = machines.taken()
        nodes = [name for _, _, name in configured]
        assert len(before["servers"]) == len(set(nodes)) == len(nodes)
        assert {(operation, kind) for operation, kind, _ in configured} == {("create", CONFIGURATION)}
        deployed.put_program(project.folder)
        foreseen = steps.of_preview(project.preview(STACK))
        harm = [str(step) for step in foreseen if step.kind in STAYS and step.op != "update"]
        assert harm == []
        done = project.pulumi("up", "--yes", "--skip-preview", "--stack", STACK)
        assert done.returncode == 0, done.stdout + done.stderr
        assert ids(cloud) == before
        # Every machine gets its new configuration and none is stopped; the state also has how to stop it later.
        assert machines.taken() == sorted(
            [*(("update", CONFIGURATION, name) for name in nodes), *(("create", STOP, name) for name in nodes)]
        )
        again = project.pulumi("up", "--yes", "--skip-preview", "--expect-no-changes", "--stack", STACK)
        assert again.returncode == 0, again.stdout
        assert machines.taken() == []
