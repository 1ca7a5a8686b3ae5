"""What is deployed today is updated to the present program in place, on a cloud that only keeps books."""

from pathlib import Path
from typing import Any

import pytest

from tests import deployed, stacks, steps
from tests.fake_cloud.cloud import FakeCloud
from tests.fake_cloud.project import STACK, CloudProject, local_stack

pytestmark = pytest.mark.engine

STAYS = ("Instance", "Volume", "VolumeAttach", "Port", "FloatingIp", "Network", "Subnet", "Router", "RouterInterface")
"""Kinds of what visitors, operators and data depend on."""


def deploy(cloud: FakeCloud, folder: Path) -> CloudProject:
    """A stack with every role and with data, as the program of today has made it."""
    project = local_stack(cloud, folder)
    deployed.put_program(project.folder, deployed.COMMIT)
    project.change(
        lambda config: config.update({"idr:operators": [stacks.OPERATOR_KEY], "idr:releases": stacks.small_ebi()})
    )
    made = project.pulumi("up", "--yes", "--skip-preview", "--stack", STACK)
    assert made.returncode == 0, made.stdout + made.stderr
    return project


def ids(cloud: FakeCloud) -> dict[str, set[Any]]:
    """What the cloud has, by kind."""
    kinds = ("servers", "volumes", "ports", "floatingips", "networks", "subnets", "routers")
    return {kind: {one["id"] for one in cloud.store.all(kind)} for kind in kinds}


def test_servers_volumes_ports_and_addresses_stay(tmp_path: Path) -> None:
    with FakeCloud() as cloud:
        project = deploy(cloud, tmp_path)
        before = ids(cloud)
        deployed.put_program(project.folder)
        foreseen = steps.of_preview(project.preview(STACK))
        harm = [str(step) for step in foreseen if step.kind in STAYS and step.op != "update"]
        assert harm == []
        done = project.pulumi("up", "--yes", "--skip-preview", "--stack", STACK)
        assert done.returncode == 0, done.stdout + done.stderr
        assert ids(cloud) == before
        again = project.pulumi("up", "--yes", "--skip-preview", "--expect-no-changes", "--stack", STACK)
        assert again.returncode == 0, again.stdout
