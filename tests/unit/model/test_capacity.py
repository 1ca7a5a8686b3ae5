"""How much of each quota a change needs: the difference, and only for objects that do not have their final size."""

from dataclasses import replace
from typing import Any

import pytest

from harness import stacks
from model.capacity import Need, needs, tight
from model.cloud_state import (
    CloudFlavor,
    CloudNetwork,
    CloudState,
    CloudSubnet,
    CloudVolume,
    FloatingIp,
    GroupRule,
    Port,
    Quota,
    Router,
    SecurityGroup,
    Server,
)
from model.plan import Plan
from model.planning import plan
from model.reading import Source, parse

PLAN = stacks.plan_of("local")
KINDS = (
    "instances", "cores", "ram (MiB)", "server groups", "volumes", "volume gigabytes", "networks", "subnets", "routers",
    "ports", "floating IPs", "security groups", "security group rules",
)  # a list to read, not a column  # fmt: skip
FLAVORS = tuple(CloudFlavor(name, f.vcpus, f.memory_mib, 10) for name, f in stacks.settings("local").flavors.items())
NOTHING = CloudState(
    flavors=FLAVORS,
    security_groups=(SecurityGroup("default"),),
    quotas={kind: Quota(-1, 99) for kind in KINDS},
)


def changed(**changes: Any) -> Plan:
    values = {**stacks.values("local"), **changes}
    return plan(parse(values, Source("local", "Pulumi.local.yaml")), "local")


def with_nodes(**nodes: dict[str, Any]) -> Plan:
    """Return the stack with other settings for some of its nodes."""
    releases = stacks.values("local")["releases"]
    for name, settings in nodes.items():
        releases["demo1"]["nodes"][name] |= settings
    return changed(releases=releases)


def cloud_with(of: Plan = PLAN) -> CloudState:
    """Return the cloud after an `up` of a plan."""
    rules: dict[str, set[GroupRule]] = {}
    for scope in of.scopes:
        for rule in scope.rules:
            remote = f"idr-local-{rule.remote_group}" if rule.remote_group else rule.remote_cidr
            kept = GroupRule(rule.direction, rule.transport, rule.port, rule.port, remote)
            rules.setdefault(f"idr-local-{rule.group}", set()).add(kept)
    groups = [f"idr-local-{group}" for scope in of.scopes for group in scope.security_groups]
    networks = [f"idr-local-{scope.name}" for scope in of.scopes]
    return replace(
        NOTHING,
        servers=tuple(
            Server(f"idr-local-{n.name}", n.flavor_name, n.flavor.vcpus, n.flavor.memory_mib, n.image, "0")
            for n in of.nodes
        ),
        networks=(
            CloudNetwork("public", external=True),
            *(CloudNetwork(n, n, subnets=(CloudSubnet("", name=n),), is_own=True) for n in networks),
        ),
        routers=(Router("idr-local", is_own=True),),
        ports=tuple(Port(node.name, f"idr-local-{node.name}", "", is_own=True) for node in of.nodes),
        floating_ips=(FloatingIp("192.0.2.1", leads_to="bastion"), FloatingIp("192.0.2.2", leads_to="public")),
        security_groups=(
            SecurityGroup("default"),
            *(SecurityGroup(name, frozenset(rules.get(name, ())), is_own=True) for name in groups),
        ),
        volumes=tuple(
            CloudVolume(v.name, f"idr-local-{v.name}", v.size_gib, is_own=True) for n in of.nodes for v in n.volumes
        ),
    )


def needed(of: Plan, state: CloudState) -> dict[str, int]:
    return {need.quota: need.more for need in needs(of, state)}


def differences(of: Plan, state: CloudState) -> dict[str, int]:
    """Return the need of each quota, without zeros."""
    return {quota: more for quota, more in needed(of, state).items() if more}


@pytest.mark.parametrize("kind", KINDS)
def test_each_quota_is_compared(kind: str) -> None:
    full = replace(NOTHING, quotas={kind: Quota(5, 5)})
    (need,) = needs(stacks.plan_of("ebi"), full)
    assert need.more > 0
    assert str(need) == f"quota of {kind}: {need.more} more needed, 0 left of 5"
    assert not need.fits


def test_an_empty_project_needs_all_of_the_plan() -> None:
    required = needed(PLAN, NOTHING)
    rules = sum(len(scope.rules) for scope in PLAN.scopes)
    assert (required["instances"], required["networks"], required["routers"], required["floating IPs"]) == (5, 2, 1, 2)
    assert (required["ports"], required["security group rules"]) == (5 + 2 * 2, rules)


def test_what_is_there_already_needs_nothing() -> None:
    assert differences(PLAN, cloud_with()) == {}


def test_what_belongs_to_another_stack_is_not_there() -> None:
    theirs = cloud_with()
    other = replace(
        theirs,
        servers=(),
        networks=tuple(replace(network, is_own=False) for network in theirs.networks or ()),
        routers=tuple(replace(router, is_own=False) for router in theirs.routers or ()),
        ports=tuple(replace(port, is_own=False) for port in theirs.ports or ()),
        security_groups=tuple(replace(group, is_own=False) for group in theirs.security_groups or ()),
        volumes=tuple(replace(volume, is_own=False) for volume in theirs.volumes or ()),
        floating_ips=(),
    )
    assert needed(PLAN, other) == needed(PLAN, NOTHING)


def test_one_server_more_needs_one() -> None:
    there = cloud_with()
    short = replace(there, servers=tuple(s for s in there.servers if s.name != "idr-local-bastion"))
    assert differences(PLAN, short) == {"instances": 1, "cores": 1, "ram (MiB)": 768}


def test_a_larger_flavor_needs_the_difference() -> None:
    larger = with_nodes(redis={"flavor": "local.medium"})
    assert differences(larger, cloud_with()) == {"cores": 1, "ram (MiB)": 2048 - 768}


def test_a_smaller_flavor_gives_nothing_back_before_it_is_there() -> None:
    both = with_nodes(redis={"flavor": "local.medium"}, omeroreadwrite={"flavor": "local.small"})
    assert differences(both, cloud_with())["cores"] == 1


def test_a_disk_that_grows_needs_the_difference() -> None:
    grown = with_nodes(database={"volumes": {"db": {"sizeGib": 50}}})
    assert differences(grown, cloud_with()) == {"volume gigabytes": 49}


def test_a_replaced_server_needs_no_more_than_it_has() -> None:
    rebuilt = changed(image="other")
    assert differences(rebuilt, cloud_with()) == {}


def test_a_server_that_is_recreated_from_a_volume_needs_the_volume() -> None:
    booted = with_nodes(redis={"bootVolumeGib": 20})
    assert differences(booted, cloud_with()) == {}, "the machine that is there stays on its disk"
    releases = stacks.values("local")["releases"]
    releases["demo1"]["nodes"]["redis"]["bootVolumeGib"] = 20
    releases["demo1"]["rebuild"] = {"redis": 2}
    rebuilt = changed(releases=releases)
    there = cloud_with()
    assert differences(rebuilt, there) == {"volumes": 1, "volume gigabytes": 20}
    numbered = replace(there, servers=tuple(replace(server, id=server.name) for server in there.servers))
    for gib, more in ((20, {}), (8, {"volume gigabytes": 12})):
        root = CloudVolume("root", "", gib, servers=("idr-local-demo1-redis",))
        assert differences(rebuilt, replace(numbered, volumes=(*(there.volumes or ()), root))) == more


def test_a_volume_of_another_type_needs_its_quota_among_those() -> None:
    typed = with_nodes(database={"volumes": {"db": {"sizeGib": 7, "type": "fast"}}})
    quotas = {f"{what} of type '{kind}'": Quota(9, 0) for what in ("volumes", "gigabytes") for kind in ("fast", "slow")}
    there = replace(cloud_with(), quotas=quotas, default_type="slow")
    slow, fast = (
        replace(there, volumes=tuple(replace(one, type=kind) for one in there.volumes or ()))
        for kind in ("slow", "fast")
    )
    assert differences(typed, slow) == {"volumes of type 'fast'": 1, "gigabytes of type 'fast'": 7}
    assert differences(typed, fast) == {"gigabytes of type 'fast'": 6}


def test_groups_without_their_rules_need_the_rules() -> None:
    there = cloud_with()
    empty = tuple(replace(group, rules=frozenset()) for group in there.security_groups or ())
    rules = sum(len(scope.rules) for scope in PLAN.scopes)
    assert differences(PLAN, replace(there, security_groups=empty)) == {"security group rules": rules}


def test_a_network_without_its_subnet_needs_the_subnet() -> None:
    there = cloud_with()
    bare = tuple(replace(network, subnets=()) for network in there.networks or ())
    assert differences(PLAN, replace(there, networks=bare)) == {"subnets": 2}


def test_a_project_that_was_never_used_gets_a_group_of_its_own() -> None:
    fresh = replace(NOTHING, security_groups=())
    usual = needed(PLAN, NOTHING)
    required = needed(PLAN, fresh)
    assert required["security groups"] == usual["security groups"] + 1
    assert required["security group rules"] == usual["security group rules"] + 4


def test_volumes_count_for_their_type_and_for_the_default_one() -> None:
    typed = with_nodes(database={"volumes": {"db": {"sizeGib": 7, "type": "fast"}}}, redis={"bootVolumeGib": 5})
    quotas = {f"{what} of type '{kind}'": Quota(9, 0) for what in ("volumes", "gigabytes") for kind in ("fast", "slow")}
    assert needed(typed, replace(NOTHING, quotas=quotas, default_type="slow")) == {
        "volumes of type 'fast'": 1,
        "gigabytes of type 'fast'": 7,
        "volumes of type 'slow'": 1,
        "gigabytes of type 'slow'": 5,
    }


@pytest.mark.parametrize(
    ("had", "wanted", "rebuild", "more"),
    [
        pytest.param(0, 5, 1, {"volumes": 1, "volume gigabytes": 5}, id="the new server has one"),
        pytest.param(5, 8, 1, {"volume gigabytes": 3}, id="a larger one"),
        pytest.param(8, 5, 1, {}, id="a smaller one"),
        pytest.param(0, 5, 0, {}, id="a server that is there keeps its disk"),
    ],
)
def test_a_boot_volume_counts_where_a_server_is_replaced(
    had: int, wanted: int, rebuild: int, more: dict[str, int]
) -> None:
    there = cloud_with()
    servers = tuple(replace(server, id=server.name) for server in there.servers)
    booted = (CloudVolume("root", "", had, servers=("idr-local-demo1-redis",)),) if had else ()
    releases = stacks.values("local")["releases"]
    releases["demo1"]["nodes"]["redis"]["bootVolumeGib"] = wanted
    releases["demo1"] |= {"rebuild": {"redis": rebuild}} if rebuild else {}
    state = replace(there, servers=servers, volumes=(*(there.volumes or ()), *booted))
    assert differences(changed(releases=releases), state) == more


def test_what_is_just_enough_is_reported_where_neutron_counts_twice() -> None:
    assert tight([Need("ports", 9, 9, 9)]) != []
    assert tight([Need("ports", 9, 30, 30), Need("routers", 1, 1, 1), Need("instances", 5, 5, 5)]) == []


def test_a_volume_of_raw_images_counts() -> None:
    raw = {"kind": "volume", "name": "raw", "release": "demo1", "mount": "/uod/raw", "sizeGib": 500}
    lines = differences(changed(storage=[raw]), cloud_with())
    assert (lines["volumes"], lines["volume gigabytes"]) == (1, 500)
    assert (
        differences(changed(storage=[{**raw, "existing": "3f2504e0-4f89-41d3-9a0c-0305e82c3301"}]), cloud_with()) == {}
    )
