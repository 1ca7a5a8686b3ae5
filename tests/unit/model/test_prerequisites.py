"""What a plan names must be there, be one only, and be usable; each message says what is wrong with what."""

from dataclasses import replace
from typing import Any

import pytest

from harness import stacks
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
    Server,
    Snapshot,
)
from model.plan import Plan
from model.planning import plan
from model.prerequisites import absent, notices
from model.reading import Source, parse

VOLUME = "20e55581-ecd0-4a97-9000-000000000000"
PUBLIC = CloudNetwork("public", "e1", external=True)
STORAGE = CloudNetwork("storage", "s1", port_security=True, subnets=(CloudSubnet("172.16.0.0/16"),))
MINE = CloudNetwork("mine", "m1", port_security=True, subnets=(CloudSubnet("10.130.1.0/24"),))
FLAVORS = tuple(CloudFlavor(name, f.vcpus, f.memory_mib, 10) for name, f in stacks.settings("local").flavors.items())
ENOUGH = CloudState(
    flavors=FLAVORS,
    images=(Image("idr-debian-12"),),
    image_names=("idr-debian-12",),
    keypairs=frozenset({"ours"}),
    zones={"nova": True},
    networks=(PUBLIC, STORAGE, MINE),
    routers=(Router("theirs"),),
    ports=(),
    floating_ips=(),
    volumes=(),
    snapshots=(),
    volume_types=frozenset({"standard"}),
    volume_zones=frozenset({"nova"}),
)


def local(change: dict[str, Any] | None = None, **nodes: dict[str, Any]) -> Plan:
    """The stack `local`, with other settings and other settings of its nodes."""
    values = stacks.values("local")
    for name, settings in nodes.items():
        values["releases"]["demo1"]["nodes"][name] |= settings
    return plan(parse({**values, **(change or {})}, Source("local", "Pulumi.local.yaml")), "local")


def joined(name: str, **change: Any) -> Plan:
    """The stack with its release in an existing network."""
    values = stacks.values("local")["releases"]
    values["demo1"]["existingNetwork"] = name
    return local({"releases": values, **change})


def volume(**settings: Any) -> dict[str, Any]:
    return {"volumes": {"db": {"sizeGib": 1, **settings}}}


PLAN = local()
WITH_STORAGE = local({"storageNetwork": {"name": "storage", "cidr": "172.16.0.0/16"}})
OPEN_STORAGE = local({"storageNetwork": {"name": "storage", "cidr": "172.16.0.0/16", "portSecurity": False}})
SMALL, MEDIUM = FLAVORS

# What is asked for, what the cloud has instead of ENOUGH, and the one line that says so.
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
        "router 'theirs' has no external gateway: floating addresses of 'public' do not reach what is behind it; give "
        "it that gateway (openstack router set --external-gateway), or name another",
    ),
    "a router to elsewhere": (
        local({"router": "theirs"}),
        {"routers": (Router("theirs", "e2"),)},
        "router 'theirs' leads to another network outside: floating addresses of 'public' do not reach what is behind "
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
        {"volumes": (CloudVolume("v", "idr-local-demo1-database-db", 1, mine=True, type="standard"),)},
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
        {"volumes": (CloudVolume("v", "idr-local-demo1-database-db", 7, mine=True),)},
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


def test_a_volume_and_a_router_that_can_be_used_are_no_hindrance() -> None:
    existing, copied = (
        local(database=volume(**settings))
        for settings in ({"existing": VOLUME}, {"source": {"volume": VOLUME, "sizeGib": 1}})
    )
    for found in (CloudVolume(VOLUME, "db", 1), CloudVolume(VOLUME, "db", 1, status="in-use", servers=("s1",))):
        servers = (Server("idr-local-demo1-database", "local.small", 1, 768, "idr-debian-12", "0", id="s1"),)
        assert absent(existing, replace(ENOUGH, volumes=(found,), servers=servers)) == []
        assert absent(copied, replace(ENOUGH, volumes=(found,))) == []
    for known in ("e1", ""):
        assert absent(local({"router": "theirs"}), replace(ENOUGH, routers=(Router("theirs", known),))) == []


@pytest.mark.parametrize("what", WRONG)
def test_each_thing_is_looked_at(what: str) -> None:
    wanted, instead, line = WRONG[what]
    assert line in absent(wanted, replace(ENOUGH, **instead))


def test_what_the_cloud_does_not_tell_is_not_missed() -> None:
    wanted = [made for made, _, _ in WRONG.values()]
    assert [line for made in wanted for line in absent(made, CloudState())] == []


def there(of: Plan, **server: Any) -> CloudState:
    """The cloud with every server of a plan, and other properties of these."""
    servers = (
        Server(f"idr-local-{n.name}", n.flavor_name, n.flavor.vcpus, n.flavor.memory_mib, n.image, "0")
        for n in of.nodes
    )
    return replace(ENOUGH, servers=tuple(replace(made, **server) for made in servers))


def test_a_name_that_a_change_uses_is_checked_also_when_all_servers_are_there() -> None:
    wrong = local({"image": "idr-debian-13"})
    without = replace(there(PLAN), images=())
    assert absent(wrong, without) == ["image 'idr-debian-13' does not exist (available: idr-debian-12)"]
    larger = replace(there(PLAN, flavor="tiny"), flavors=(MEDIUM,))
    assert absent(PLAN, larger) == ["flavor 'local.small' does not exist (available: local.medium)"]


def test_a_server_that_is_moved_or_gets_another_network_is_made_anew_from_what_must_be_there() -> None:
    no_image = replace(there(PLAN, zone="nova"), images=(), image_names=())
    assert absent(local(redis={"zone": "nova"}), no_image) == []
    assert absent(local(redis={"zone": "mars"}), no_image) == [
        "image 'idr-debian-12' does not exist (available: none)",
        "availability zone 'mars' does not exist (available: nova)",
    ]
    ports = tuple(Port(n.name, f"idr-local-{n.name}", "", mine=True) for n in PLAN.nodes)
    assert absent(PLAN, replace(no_image, ports=ports)) == []
    joined_storage = local({"storageNetwork": {"name": "storage", "cidr": "172.16.0.0/16"}})
    assert "image 'idr-debian-12' does not exist (available: none)" in absent(
        joined_storage, replace(no_image, ports=ports)
    )


def with_ports(network: str = "n1", **others: Port) -> CloudState:
    """The cloud with every server of the stack on its port, in the stack's own networks."""
    ports = {
        node.name: Port(node.name, f"idr-local-{node.name}", network, (str(node.address),), mine=True)
        for node in PLAN.nodes
        if node.scope == "demo1"
    }
    own = CloudNetwork("idr-local-demo1", "n1", subnets=(CloudSubnet("10.130.1.0/24"),), mine=True)
    ports |= others
    return replace(there(PLAN), networks=(PUBLIC, STORAGE, MINE, own), ports=tuple(ports.values()))


def release(**settings: Any) -> Plan:
    values = stacks.values("local")["releases"]
    values["demo1"] |= settings
    return local({"releases": values})


def test_nodes_that_are_there_keep_network_and_cidr() -> None:
    assert absent(PLAN, with_ports()) == []
    for elsewhere in (release(cidr="10.130.9.0/24"), release(existingNetwork="mine")):
        (line,) = absent(elsewhere, with_ports())
        assert line.startswith("the nodes of demo1 are not in the network that its cidr 10.130.")
    frozen = release(cidr="10.130.9.0/24", frozen=True)
    assert len(absent(frozen, with_ports())) == 1, "its subnet would go as well"


def test_a_node_with_an_address_of_ipv6_or_a_network_that_lost_its_labels_is_where_it_is() -> None:
    ports = tuple(replace(port, addresses=("2001:db8::7", *port.addresses)) for port in with_ports().ports or ())
    assert absent(PLAN, replace(with_ports(), ports=ports)) == []
    bare = tuple(replace(network, mine=False) for network in with_ports().networks or ())
    assert absent(PLAN, replace(with_ports(), networks=bare)) == []


def test_nodes_may_get_another_cidr_while_there_are_none() -> None:
    assert absent(release(cidr="10.130.9.0/24"), replace(with_ports(), servers=(), ports=())) == []


def test_a_node_whose_first_role_changes_would_lose_its_address() -> None:
    turned = local(omeroreadwrite={"roles": ["web", "omero-readwrite"]})
    (line,) = absent(turned, with_ports())
    assert line.startswith("demo1-omeroreadwrite has the address 10.130.1.40, its first role would give it 10.130.1.70")
    values = stacks.values("local")["releases"]["demo1"]["nodes"]
    values["omeroreadwrite"]["roles"] = ["web", "omero-readwrite"]
    assert absent(release(nodes=values, rebuild={"omeroreadwrite": 2}), with_ports()) == []


def test_another_storage_network_is_for_servers_that_are_made_anew() -> None:
    port = Port("p", "idr-local-demo1-omeroreadwrite-storage", "s1", ("172.16.0.9",), mine=True)
    assert absent(WITH_STORAGE, with_ports(storage=port)) == []
    (line,) = absent(WITH_STORAGE, with_ports(storage=replace(port, network="s0")))
    assert line.startswith("demo1-omeroreadwrite is in another network than the storage network 'storage'")


def test_a_flavor_described_as_larger_is_refused_for_servers_that_are_there() -> None:
    flavors = {**stacks.values("local")["flavors"], "local.small": {"vcpus": 1, "memoryMib": 4096}}
    larger = local({"flavors": flavors})
    assert absent(larger, there(larger)) == []
    (line,) = absent(larger, there(PLAN))
    assert line.startswith("flavor 'local.small' has 768 MiB in this cloud, idr:flavors says 4096")
    assert absent(local({"flavors": flavors, "configure": False}), there(PLAN)) == []


def test_a_router_of_the_cloud_takes_no_live_stacks_place() -> None:
    state = replace(with_ports(), routers=(Router("theirs"), Router("idr-local", mine=True)))
    (line,) = absent(local({"router": "theirs"}), state)
    assert line.startswith("router 'theirs' cannot take the place of the stack's own")
    assert absent(local({"router": "theirs"}), replace(state, ports=())) == []


def test_a_node_under_another_name_waits_until_its_address_is_free() -> None:
    (line,) = absent(local(proxy={"count": 2}), with_ports())
    assert line.startswith("address 10.130.1.50 of demo1-proxy-1 is still that of 'idr-local-demo1-proxy'")


def test_an_image_that_no_change_uses_is_a_notice() -> None:
    retired = replace(there(PLAN), images=(), image_names=())
    assert absent(PLAN, retired) == []
    (notice,) = notices(PLAN, retired)
    assert notice.startswith("image 'idr-debian-12' does not exist (available: none); no server is created from it now")


def test_a_frozen_release_uses_no_name() -> None:
    values = stacks.values("local")["releases"]
    values["demo1"]["frozen"] = True
    frozen = local({"releases": values, "image": "other"})
    lines = absent(frozen, replace(there(PLAN), images=(), image_names=()))
    assert lines == ["image 'other' does not exist (available: none)"], "of the bastion, which is not frozen"
    of_bastion_only = replace(there(PLAN), images=(Image("other", min_ram_mib=769),))
    assert absent(frozen, of_bastion_only) == ["image 'other' needs 769 MiB: flavor 'local.small' has 768"]


def test_the_newest_of_several_images_is_taken_for_a_boot_volume() -> None:
    booted = local(**{name: {"bootVolumeGib": 10} for name in ("database", "redis", "omeroreadwrite", "proxy")})
    images = (Image("idr-debian-12", "1", created="2026-01"), Image("idr-debian-12", "2", "queued", created="2026-02"))
    assert "image 'idr-debian-12' is queued: servers start from an active image only" in absent(
        booted, replace(ENOUGH, images=images)
    )


def test_a_gateway_of_the_storage_network_is_a_notice_for_servers_that_are_there() -> None:
    gateway = replace(STORAGE, subnets=(CloudSubnet("172.16.0.0/16", "172.16.0.1"),))
    state = replace(there(WITH_STORAGE), networks=(PUBLIC, gateway))
    assert absent(WITH_STORAGE, state) == []
    assert "a second default route" in notices(WITH_STORAGE, state)[0]


@pytest.mark.parametrize(
    ("settings", "there"),
    [
        ({}, {"volumes": (CloudVolume("v", "idr-local-demo1-database-db", 1, "az1", mine=True),)}),
        ({"existing": VOLUME}, {"volumes": (CloudVolume(VOLUME, "old", 1, "az1"),)}),
        ({"source": {"volume": VOLUME, "sizeGib": 1}}, {"volumes": (CloudVolume(VOLUME, "old", 1, "az1"),)}),
        (
            {"source": {"snapshot": VOLUME, "sizeGib": 1}},
            {"volumes": (CloudVolume("o", "old", 1, "az1"),), "snapshots": (Snapshot(VOLUME, "o"),)},
        ),
        ({}, {"volume_zones": frozenset({"nova"})}),
    ],
)
def test_a_volume_in_another_zone_than_its_node_is_a_notice(settings: dict[str, Any], there: dict[str, Any]) -> None:
    zoned = local(database={"zone": "az2", **volume(**settings)})
    state = replace(ENOUGH, zones={"az2": True}, volume_zones=frozenset({"az2", "az1"}))
    (notice,) = notices(zoned, replace(state, **there))
    assert "demo1-database in 'az2': it is attached only if the cloud allows that across zones" in notice


def test_a_volume_in_its_nodes_zone_is_none() -> None:
    zoned = local(database={"zone": "az2"})
    assert notices(zoned, replace(ENOUGH, zones={"az2": True}, volume_zones=frozenset({"az2"}))) == []


def test_an_address_of_this_stack_may_be_in_use_by_it() -> None:
    given = local({"floatingIps": {"public": "192.0.2.9"}})
    state = replace(
        ENOUGH, floating_ips=(FloatingIp("192.0.2.9", "e1", "p7"),), ports=(Port("p7", "proxy", "n", mine=True),)
    )
    assert absent(given, state) == []
