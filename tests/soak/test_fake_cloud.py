"""The fake cloud suffices for the real engine, and refuses whatever the local OpenStack refuses."""

from pathlib import Path

import pytest

from harness.cloud import tenant
from harness.cloud.service import Service
from tests.fake_cloud import contract
from tests.fake_cloud.cloud import FakeCloud
from tests.fake_cloud.project import STACK, local_stack

PROJECT = "idr-contract"
ZONE = "fake"
"""In this zone servers have no machine: they cost nothing."""


@pytest.mark.engine
def test_a_stack_is_created_left_alone_and_deleted(tmp_path: Path) -> None:
    with FakeCloud() as cloud:
        project = local_stack(cloud, tmp_path)
        done = project.pulumi("up", "--yes", "--skip-preview", "--stack", STACK)
        assert done.returncode == 0, done.stdout
        assert len(cloud.store.all("servers")) == 5
        again = project.pulumi("up", "--yes", "--skip-preview", "--refresh", "--expect-no-changes", "--stack", STACK)
        assert again.returncode == 0, again.stdout
        project.change(lambda config: config.update({"idr:protectData": False}))
        assert project.pulumi("up", "--yes", "--skip-preview", "--stack", STACK).returncode == 0
        gone = project.pulumi("destroy", "--yes", "--stack", STACK)
        assert gone.returncode == 0, gone.stdout
        assert [kind for kind in ("servers", "volumes", "ports", "routers") if cloud.store.all(kind)] == []


@pytest.mark.cloud
def test_openstack_refuses_what_the_fake_cloud_refuses(service: Service, tmp_path: Path) -> None:
    assert service.outputs
    cloud = tenant.make(tmp_path, PROJECT).cloud()
    assert contract.refusals(cloud, "idr-debian-12", "local.small", "public", ZONE) == contract.REFUSED
