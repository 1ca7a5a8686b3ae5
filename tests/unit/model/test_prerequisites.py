"""Objects that a plan names must exist, be the only one, and be usable; each message has the reason."""

from dataclasses import replace
from typing import Any

import pytest

from model.cloud_state import (
    CloudFlavor,
    CloudNetwork,
    CloudState,
    CloudSubnet,
    CloudVolume,
    FloatingIp,
    Image,
    Port,
    Router,
    Snapshot,
)
from model.plan import Plan
from model.prerequisites import absent, notices
from tests.unit.model.small_clouds import (
    ENOUGH,
    MEDIUM,
    MINE,
    OPEN_STORAGE,
    PLAN,
    PUBLIC,
    SMALL,
    STORAGE,
    VOLUME,
    WITH_STORAGE,
    joined,
    local,
    volume,
)

# The plan, the differences of the cloud from ENOUGH, and the expected line.
WRONG: dict[str, tuple[Plan, dict[str, Any], str]] = {
    "no image": (
        PLAN,
        {"images": (), "image_names": ("b", "a")},
        "image 'idr-debian-12' does not exist (available: a, b)",
    ),
    "no image at all": (
        PLAN,
        {"images": (), "image_names": ()},
        "image 'idr-debian-12' does not exist (available: none)",
    ),
    "two images": (
        PLAN,
        {"images": (Image("idr-debian-12", "1"), Image("idr-debian-12", "2"))},
        "image 'idr-debian-12': 2 have this name, so none of them can be meant; rename all but one",
    ),
    **{
        f"an image that is {status}": (
            PLAN,
            {"images": (Image("idr-debian-12", status=status),)},
            f"image 'idr-debian-12' is {status}: servers start from an active image only",
        )
        for status in ("deactivated", "queued", "saving", "killed", "importing")
    },
    "a hidden image": (
        PLAN,
        {"images": (Image("idr-debian-12", hidden=True),)},
        "image 'idr-debian-12' is hidden: it is not found by its name; make it visible to this project, "
        "or name another",
    ),
    "a community image": (
        PLAN,
        {"images": (Image("idr-debian-12", visibility="community"),)},
        "image 'idr-debian-12' is a community image: it is not found by its name; make it visible to "
        "this project, or name another",
    ),
    "an image larger than the disk": (
        PLAN,
        {"images": (Image("idr-debian-12", size_gib=11),), "flavors": (SMALL, MEDIUM)},
        "image 'idr-debian-12' needs a disk of 11 GiB: the 10 GiB disk of flavor 'local.small' is too small",
    ),
    "an image that wants a larger disk": (
        PLAN,
        {"images": (Image("idr-debian-12", min_disk_gib=20),)},
        "image 'idr-debian-12' needs a disk of 20 GiB: the 10 GiB disk of flavor 'local.small' is too small",
    ),
    "an image larger than the boot volume": (
        local(redis={"bootVolumeGib": 4}),
        {"images": (Image("idr-debian-12", size_gib=5),)},
        "image 'idr-debian-12' needs a disk of 5 GiB: bootVolumeGib 4 is too small",
    ),
    "an image that wants more memory": (
        PLAN,
        {"images": (Image("idr-debian-12", min_ram_mib=1024),)},
        "image 'idr-debian-12' needs 1024 MiB: flavor 'local.small' has 768",
    ),
    "no flavor": (PLAN, {"flavors": (MEDIUM,)}, "flavor 'local.small' does not exist (available: local.medium)"),
    "two flavors": (
        PLAN,
        {"flavors": (SMALL, SMALL, MEDIUM)},
        "flavor 'local.small': 2 have this name, so none of them can be meant; rename all but one",
    ),
    "a flavor smaller than described": (
        PLAN,
        {"flavors": (SMALL, CloudFlavor("local.medium", 1, 768, 10))},
        "flavor 'local.medium' has 1 vCPU and 768 MiB, the settings say 2 and 2048",
    ),
    "a flavor without disk": (
        PLAN,
        {"flavors": (SMALL, CloudFlavor("local.medium", 2, 2048, 0))},
        "flavor 'local.medium' has no disk: set bootVolumeGib for demo1-omeroreadwrite, or take another flavor",
    ),
    "no external network": (
        PLAN,
        {"networks": (CloudNetwork("public"),)},
        "external network 'public' does not exist (available: none)",
    ),
    "two external networks": (
        PLAN,
        {"networks": (PUBLIC, PUBLIC)},
        "external network 'public': 2 have this name, so none of them can be meant; rename all but one",
    ),
    "no router": (local({"router": "ours"}), {}, "router 'ours' does not exist (available: theirs)"),
    "two routers": (
        local({"router": "theirs"}),
        {"routers": (Router("theirs"), Router("theirs"))},
        "router 'theirs': 2 have this name, so none of them can be meant; rename all but one",
    ),
    "a router without a way out": (
        local({"router": "theirs"}),
        {"routers": (Router("theirs", None),)},
        "router 'theirs' has no external gateway: floating IPs of 'public' do not reach what is behind it; give "
        "it that gateway (openstack router set --external-gateway), or name another",
    ),
    "a router to elsewhere": (
        local({"router": "theirs"}),
        {"routers": (Router("theirs", "e2"),)},
        "router 'theirs' leads to another network outside: floating IPs of 'public' do not reach what is behind "
        "it; give it that gateway (openstack router set --external-gateway), or name another",
    ),
    "no such network": (joined("other"), {}, "network 'other' does not exist (available: mine, public, storage)"),
    "two such networks": (
        joined("mine"),
        {"networks": (PUBLIC, MINE, MINE)},
        "network 'mine': 2 have this name, so none of them can be meant; rename all but one",
    ),
    "another subnet": (
        joined("storage"),
        {},
        "network 'storage' has no subnet 10.130.1.0/24 (available: 172.16.0.0/16)",
    ),
    "a network without port security": (
        joined("mine"),
        {"networks": (PUBLIC, replace(MINE, port_security=False))},
        "network 'mine' has its port security off: security groups, which protect the nodes of "
        "demo1, do not work there; use another network",
    ),
    "an address that is taken": (
        joined("mine"),
        {"ports": (Port("p9", "printer", "m1", ("10.130.1.20",)),)},
        "address 10.130.1.20 of demo1-database is taken by port p9",
    ),
    "a storage network without port security": (
        WITH_STORAGE,
        {"networks": (PUBLIC, replace(STORAGE, port_security=False))},
        "storage network 'storage' has its port security off, so that its ports take no "
        "security groups: set storageNetwork.portSecurity to false (each node's own "
        "firewall still holds there)",
    ),
    "a storage network with port security": (
        OPEN_STORAGE,
        {},
        "storage network 'storage' has port security: a port without security groups reaches "
        "nothing there; remove storageNetwork.portSecurity",
    ),
    "a second default route": (
        WITH_STORAGE,
        {"networks": (PUBLIC, replace(STORAGE, subnets=(CloudSubnet("172.16.0.0/16", "172.16.0.1"),)))},
        "storage network 'storage': its subnet 172.16.0.0/16 has the gateway 172.16.0.1, a second default route for "
        "OMERO nodes; have it removed (openstack subnet set --gateway none), with a host route to storage servers "
        "behind it",
    ),
    "no key pair": (local({"keypair": "theirs"}), {}, "key pair 'theirs' does not exist (available: ours)"),
    "no floating address": (
        local({"floatingIps": {"public": "192.0.2.9"}}),
        {},
        "floating IP '192.0.2.9' does not exist (available: none)",
    ),
    "a floating address in use": (
        local({"floatingIps": {"public": "192.0.2.9"}}),
        {"floating_ips": (FloatingIp("192.0.2.9", "e1", "p7"),)},
        "floating IP '192.0.2.9' leads to port p7, which is not this stack's: set it free first",
    ),
    "a floating address of another network": (
        local({"floatingIps": {"public": "192.0.2.9"}}),
        {"floating_ips": (FloatingIp("192.0.2.9", "e2"),)},
        "floating IP '192.0.2.9' is not of the external network 'public'",
    ),
    "no zone": (local(redis={"zone": "az2"}), {}, "availability zone 'az2' does not exist (available: nova)"),
    "a zone that is down": (
        local(redis={"zone": "az2"}),
        {"zones": {"az2": False}},
        "availability zone 'az2' is not available now",
    ),
    "no volume type": (
        local(database=volume(type="fast")),
        {},
        "volume type 'fast' does not exist (available: standard)",
    ),
    "no volume type for one that is there": (
        local(database=volume(type="fast")),
        {"volumes": (CloudVolume("v", "idr-local-demo1-database-db", 1, is_own=True, type="standard"),)},
        "volume type 'fast' does not exist (available: standard)",
    ),
    "no volume": (local(database=volume(existing=VOLUME)), {}, f"volume '{VOLUME}' does not exist (available: none)"),
    "no volume to copy": (
        local(database=volume(source={"volume": VOLUME, "sizeGib": 1})),
        {},
        f"volume '{VOLUME}' does not exist (available: none)",
    ),
    "no snapshot": (
        local(database=volume(source={"snapshot": VOLUME, "sizeGib": 1})),
        {},
        f"snapshot '{VOLUME}' does not exist (available: none)",
    ),
    "a volume of another server": (
        local(database=volume(existing=VOLUME)),
        {"volumes": (CloudVolume(VOLUME, "db", 1, status="in-use", servers=("s9",)),)},
        f"volume '{VOLUME}' is attached to server s9, not of this stack: detach it first",
    ),
    "a volume smaller than it is said to be": (
        local(database=volume(existing=VOLUME, sizeGib=9)),
        {"volumes": (CloudVolume(VOLUME, "db", 1),)},
        f"volume '{VOLUME}' has 1 GiB, and sizeGib says 9: correct that",
    ),
    **{
        f"a volume that is {status}": (
            local(database=volume(existing=VOLUME)),
            {"volumes": (CloudVolume(VOLUME, "db", 1, status=status),)},
            f"volume '{VOLUME}' has the status '{status}': a server takes an available one only",
        )
        for status in ("error", "reserved", "maintenance", "deleting", "creating")
    },
    "a volume to copy that is broken": (
        local(database=volume(source={"volume": VOLUME, "sizeGib": 1})),
        {"volumes": (CloudVolume(VOLUME, "db", 1, status="error"),)},
        f"volume '{VOLUME}' has the status 'error': volume 'demo1-database-db' cannot be a copy of it",
    ),
    "a larger volume to copy": (
        local(database=volume(source={"volume": VOLUME, "sizeGib": 1})),
        {"volumes": (CloudVolume(VOLUME, "db", 2),)},
        f"volume 'demo1-database-db' of 1 GiB cannot be a copy of volume '{VOLUME}', which has 2 GiB",
    ),
    "a snapshot that is not whole": (
        local(database=volume(source={"snapshot": VOLUME, "sizeGib": 1})),
        {"snapshots": (Snapshot(VOLUME, "v", "creating"),)},
        f"snapshot '{VOLUME}' has the status 'creating': volume 'demo1-database-db' cannot be a copy of it",
    ),
    "a larger snapshot": (
        local(database=volume(source={"snapshot": VOLUME, "sizeGib": 1})),
        {"snapshots": (Snapshot(VOLUME, "v", size_gib=5),)},
        f"volume 'demo1-database-db' of 1 GiB cannot be a copy of snapshot '{VOLUME}', which has 5 GiB",
    ),
    "a volume larger than one may be": (
        local(database=volume(sizeGib=9)),
        {"volume_gib": 5},
        "volume 'demo1-database-db' of 9 GiB: one volume of this project may have 5",
    ),
    "a volume that is larger than it is to be": (
        PLAN,
        {"volumes": (CloudVolume("v", "idr-local-demo1-database-db", 7, is_own=True),)},
        "volume 'demo1-database-db' has 7 GiB, sizeGib says 1: no volume can shrink; set sizeGib to 7",
    ),
    "more nodes than a server group takes": (
        local(proxy={"count": 3}),
        {"members": 2},
        "server group 'demo1-proxy' gets 3 nodes; a server group of this project takes 2",
    ),
}


def test_a_cloud_with_everything_lacks_nothing() -> None:
    assert absent(PLAN, ENOUGH) == []
    assert notices(PLAN, ENOUGH) == []


@pytest.mark.parametrize("what", WRONG)
def test_each_thing_is_looked_at(what: str) -> None:
    wanted, instead, line = WRONG[what]
    assert line in absent(wanted, replace(ENOUGH, **instead))


def test_what_the_cloud_does_not_tell_is_not_missed() -> None:
    wanted = [plan for plan, _, _ in WRONG.values()]
    assert [line for plan in wanted for line in absent(plan, CloudState())] == []
