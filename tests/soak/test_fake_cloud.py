"""The fake cloud is no kinder than the local OpenStack: both refuse the same, with the same status."""

from pathlib import Path

import pytest

from tests.cloud import tenant
from tests.cloud.service import Service
from tests.fake_cloud import contract

pytestmark = pytest.mark.cloud

PROJECT = "idr-contract"
ZONE = "fake"
"""Its servers are none: they cost nothing."""


def test_openstack_refuses_what_the_fake_cloud_refuses(service: Service, tmp_path: Path) -> None:
    assert service.outputs
    cloud = tenant.make(tmp_path, PROJECT).cloud()
    assert contract.refusals(cloud, "idr-debian-12", "local.small", "public", ZONE) == contract.REFUSED
