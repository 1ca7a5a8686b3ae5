"""What a stack needs of a cloud that already has some of its objects, and what it does not need."""

from dataclasses import replace
from typing import Any

import pytest

from harness import stacks
from model.cloud_state import (
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
from model.prerequisites import absent, notices
from tests.unit.model.small_clouds import (
    ENOUGH,
    MEDIUM,
    MINE,
    PLAN,
    PUBLIC,
    STORAGE,
    VOLUME,
    WITH_STORAGE,
    local,
    volume,
)


def there(of: Plan, **server: Any) -> CloudState:
    """Return the cloud with every server of a plan, and other properties of these."""
    servers = (
        Server(f"idr-local-{n.name}", n.flavor_name, n.flavor.vcpus, n.flavor.memory_mib, n.image, "0")
        for n in of.nodes
    )
    return replace(ENOUGH, servers=tuple(replace(existing, **server) for existing in servers))


def test_a_name_that_a_change_uses_is_checked_also_when_all_servers_are_there() -> None:
    wrong = local({"image": "idr-debian-13"})
    without = replace(there(PLAN), images=())
    assert absent(wrong, without) == ["image 'idr-debian-13' does not exist (available: idr-debian-12)"]
    larger = replace(there(PLAN, flavor="tiny"), flavors=(MEDIUM,))
    assert absent(PLAN, larger) == ["flavor 'local.small' does not exist (available: local.medium)"]


def test_a_server_that_is_moved_or_gets_another_network_is_recreated_from_what_must_be_there() -> None:
    no_image = replace(there(PLAN, zone="nova"), images=(), image_names=())
    assert absent(local(redis={"zone": "nova"}), no_image) == []
    assert absent(local(redis={"zone": "mars"}), no_image) == [
        "image 'idr-debian-12' does not exist (available: none)",
        "availability zone 'mars' does not exist (available: nova)",
    ]
    ports = tuple(Port(n.name, f"idr-local-{n.name}", "", is_own=True) for n in PLAN.nodes)
    assert absent(PLAN, replace(no_image, ports=ports)) == []
    joined_storage = local({"storageNetwork": {"name": "storage", "cidr": "172.16.0.0/16"}})
    assert "image 'idr-debian-12' does not exist (available: none)" in absent(
        joined_storage, replace(no_image, ports=ports)
    )


def with_ports(network: str = "n1", **others: Port) -> CloudState:
    """Return the cloud with every server of the stack on its port, in the stack's own networks."""
    ports = {
        node.name: Port(node.name, f"idr-local-{node.name}", network, (str(node.address),), is_own=True)
        for node in PLAN.nodes
        if node.scope == "demo1"
    }
    own = CloudNetwork("idr-local-demo1", "n1", subnets=(CloudSubnet("10.130.1.0/24"),), is_own=True)
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
    bare = tuple(replace(network, is_own=False) for network in with_ports().networks or ())
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


def test_another_storage_network_is_for_servers_that_are_recreated() -> None:
    port = Port("p", "idr-local-demo1-omeroreadwrite-storage", "s1", ("172.16.0.9",), is_own=True)
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


def test_a_router_of_the_cloud_takes_no_live_stacks_address() -> None:
    state = replace(with_ports(), routers=(Router("theirs"), Router("idr-local", is_own=True)))
    (line,) = absent(local({"router": "theirs"}), state)
    assert line.startswith("router 'theirs' cannot take the place of the stack's own")
    assert absent(local({"router": "theirs"}), replace(state, ports=())) == []


@pytest.mark.parametrize("wanted", [None, "another"])
def test_no_router_takes_the_place_of_the_clouds_own_that_addresses_lead_through(wanted: str | None) -> None:
    gate = Port("g", "", "n1", ("10.130.1.1",), router="r1")
    routers = tuple(Router(name, "e1", id=number) for number, name in (("r1", "theirs"), ("r2", "another")))
    leads = FloatingIp("198.51.100.7", "e1", "demo1-proxy", "public")
    state = replace(with_ports(gate=gate), routers=routers, floating_ips=(leads,))
    stays = local({"router": "theirs"})
    moves = local({"router": wanted} if wanted else {})
    assert absent(stays, state) == []
    (line,) = absent(moves, state)
    assert line.startswith("the stack's networks are on router 'theirs'")
    assert line.endswith("set idr:router to 'theirs' again")
    for free in (replace(leads, port=None), replace(leads, port="of-somebody-else")):
        assert absent(moves, replace(state, floating_ips=(free,))) == []
    own = (Router("idr-local", "e1", is_own=True, id="r1"), routers[1])
    assert absent(local(), replace(state, routers=own)) == []


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
        ({}, {"volumes": (CloudVolume("v", "idr-local-demo1-database-db", 1, "az1", is_own=True),)}),
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
        ENOUGH, floating_ips=(FloatingIp("192.0.2.9", "e1", "p7"),), ports=(Port("p7", "proxy", "n", is_own=True),)
    )
    assert absent(given, state) == []


def test_a_volume_and_a_router_that_can_be_used_are_no_hindrance() -> None:
    existing, copied = (
        local(database=volume(**settings))
        for settings in ({"existing": VOLUME}, {"source": {"volume": VOLUME, "sizeGib": 1}})
    )
    for usable in (CloudVolume(VOLUME, "db", 1), CloudVolume(VOLUME, "db", 1, status="in-use", servers=("s1",))):
        servers = (Server("idr-local-demo1-database", "local.small", 1, 768, "idr-debian-12", "0", id="s1"),)
        assert absent(existing, replace(ENOUGH, volumes=(usable,), servers=servers)) == []
        assert absent(copied, replace(ENOUGH, volumes=(usable,))) == []
    for known in ("e1", ""):
        assert absent(local({"router": "theirs"}), replace(ENOUGH, routers=(Router("theirs", known),))) == []
