"""Prerequisites that the cloud has and that do not fit: `up` and `idr check` name all of them and create nothing."""

import sys
from pathlib import Path
from typing import Any

import pytest

from tests.fake_cloud import contents
from tests.fake_cloud.cloud import FakeCloud
from tests.fake_cloud.project import STACK, local_stack

pytestmark = pytest.mark.engine

IMAGE = "idr-debian-12"
GIB = 2**30


def furnish(cloud: FakeCloud) -> None:
    """Add two images and two networks of one name; images, flavors and a storage network that fit no node."""
    store = cloud.store
    contents.image(store, IMAGE)
    contents.image(store, "queued-debian-12", status="queued")
    contents.image(store, "deactivated-debian-12", status="deactivated")
    contents.image(store, "large-debian-12", size=20 * GIB, virtual_size=20 * GIB)
    contents.flavor(store, "no.disk", 2, 2048, 0)
    contents.network(store, "storage", "172.16.0.0/16", "172.16.0.1", port_security_enabled=False)
    contents.network(store, "public", "198.51.100.0/24", None, **{"router:external": True})
    cloud.limits["compute"]["server group members"] = 1


def name_them(config: dict[str, Any]) -> None:
    """Name these in the settings of the nodes."""
    nodes = config["idr:releases"]["demo1"]["nodes"]
    nodes["redis"] |= {"image": "queued-debian-12"}
    nodes["database"] |= {"image": "deactivated-debian-12"}
    nodes["omeroreadwrite"] |= {"image": "large-debian-12"}
    nodes["proxy"] |= {"flavor": "no.disk", "zone": "nowhere", "count": 2}
    config["idr:flavors"]["no.disk"] = {"vcpus": 2, "memoryMib": 2048}
    config["idr:storageNetwork"] = {"name": "storage", "cidr": "172.16.0.0/16"}


MESSAGES = (
    f"image '{IMAGE}': 2 have this name, so none of them can be meant; rename all but one",
    "external network 'public': 2 have this name, so none of them can be meant; rename all but one",
    "image 'queued-debian-12' is queued: servers start from an active image only",
    "image 'deactivated-debian-12' is deactivated: servers start from an active image only",
    "image 'large-debian-12' needs a disk of 20 GiB: the 10 GiB disk of flavor 'local.medium' is too small",
    "flavor 'no.disk' has no disk: set bootVolumeGib for demo1-proxy-1, or take another flavor",
    "server group 'demo1-proxy' gets 2 nodes; a server group of this project takes 1",
    "availability zone 'nowhere' does not exist (available: nova)",
    "storage network 'storage' has its port security off, so that its ports take no security groups",
    "storage network 'storage': its subnet 172.16.0.0/16 has the gateway 172.16.0.1, a second default route for OMERO",
)


def test_all_that_cannot_be_used_is_named_at_once_and_nothing_is_created(tmp_path: Path) -> None:
    with FakeCloud() as cloud:
        furnish(cloud)
        project = local_stack(cloud, tmp_path)
        project.change(name_them)
        up = project.pulumi("up", "--yes", "--skip-preview", "--stack", STACK)
        check = project.run(sys.executable, "-m", "idr", "check", "--stack", STACK)
        for done in (up, check):
            text = " ".join((done.stdout + done.stderr).split())
            assert done.returncode != 0
            assert "Traceback" not in text
            assert [line for line in MESSAGES if line not in text] == [], done.stdout + done.stderr
        assert not [call for call in cloud.calls if call.startswith("POST ") and "/identity/" not in call]
