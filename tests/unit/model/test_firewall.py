"""The matrix: the needed ports are open between the right nodes in both firewalls, and no others are."""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import stacks
from model.firewall import EVERY_NODE, FETCHERS, FLOWS, STORAGE, WORLD, Rule
from model.matrix import HostRules, bastion_ports, host_rules
from model.plan import Node, Plan
from model.planning import plan
from model.reading import Source, parse
from model.roles import Role

PUBLIC = {80, 443, 4064}
# Between nodes, over TCP: written by hand, so that a changed matrix does not change what it is compared with.
OPEN = {
    ("bastion", "node", 22),
    ("bastion", "proxy", 9000),
    ("management", "node", 9100),
    ("management", "proxy", 443),
    ("proxy", "web", 4080),
    ("proxy", "omero-readwrite", 4064),
    ("proxy", "omero-readonly", 4064),
    ("proxy", "omero-readwrite", 4066),
    ("proxy", "omero-readonly", 4066),
    ("web", "omero-readwrite", 4064),
    ("web", "omero-readonly", 4064),
    ("omero-readwrite", "database", 5432),
    ("omero-readonly", "database", 5432),
    ("omero-readonly", "omero-readwrite", 2049),
    ("web", "redis", 6379),
    ("proxy", "upload", 2222),
}
# Every pair of nodes and every port: a case takes long.
thorough = settings(max_examples=15)
PLACED = st.fixed_dictionaries(
    {
        "omero": st.lists(st.sampled_from(["web", "redis", "database", "management"]), unique=True, max_size=4),
        "readonly": st.integers(0, 3),
        "proxies": st.integers(1, 2),
        "together": st.booleans(),
        "upload": st.booleans(),
    }
)


def layout(placed: dict[str, Any]) -> Plan:
    """A release with the roles put together on nodes as `placed` says."""
    beside = placed["omero"] + (["proxy"] if placed["together"] else [])
    nodes: dict[str, Any] = {
        "omero": {"roles": ["omero-readwrite", *beside], "flavor": "huge"},
        **{name: {"roles": [name], "flavor": "huge"} for name in ("database", "redis", "web") if name not in beside},
    }
    if not placed["together"]:
        nodes["proxy"] = {"roles": ["proxy"], "flavor": "huge", "count": placed["proxies"]}
    if placed["readonly"]:
        nodes["readonly"] = {"roles": ["omero-readonly"], "flavor": "huge", "count": placed["readonly"]}
    if placed["upload"]:
        nodes["upload"] = {"roles": ["upload"], "flavor": "huge", "volumes": {"upload": {"sizeGib": 1}}}
    nodes["omero" if "database" in beside else "database"]["volumes"] = {"db": {"sizeGib": 1}}
    values = {
        "omero": stacks.values("ebi")["omero"],
        "flavors": {"huge": {"vcpus": 16, "memoryMib": 65536}},
        "bastion": {"cidr": "10.0.0.0/24", "flavor": "huge"},
        "live": "one",
        "releases": {
            "one": {"cidr": "10.0.1.0/24", "nodes": nodes},
            "two": {"cidr": "10.0.2.0/24", "nodes": nodes},
        },
    }
    return plan(parse(values, Source("test", "Pulumi.test.yaml")), "test")


def groups(node: Node) -> set[str]:
    return set(node.security_groups)


def lets(rule: Rule, one: Node, other: Node) -> bool:
    """Whether a rule of `one`'s groups holds for `other`."""
    if rule.group not in groups(one):
        return False
    if rule.remote_group:
        return rule.remote_group in groups(other)
    return other.address in IPv4Network(str(rule.remote_cidr))


def open_between(stack_plan: Plan, source: Node, target: Node, port: int) -> bool:
    """Whether the security groups of both let TCP from `source` to `target`'s port."""
    out = any(
        rule.direction == "egress" and rule.transport == "tcp" and rule.port == port and lets(rule, source, target)
        for rule in stack_plan.scope_of(source).rules
    )
    into = any(
        rule.direction == "ingress" and rule.transport == "tcp" and rule.port == port and lets(rule, target, source)
        for rule in stack_plan.scope_of(target).rules
    )
    return out and into


def of_hosts(stack_plan: Plan) -> dict[str, HostRules]:
    """Every node's own firewall, by its name."""
    return {node.name: host_rules(stack_plan, node) for node in stack_plan.nodes}


def open_by_host(hosts: dict[str, HostRules], source: Node, target: Node, port: int) -> bool:
    """The same by the two nodes' own firewalls."""

    def allowed(lines: Any, peer: IPv4Address) -> bool:
        return any(
            line.transport == "tcp" and line.port == port and any(peer in IPv4Network(cidr) for cidr in line.peers)
            for line in lines
        )

    return allowed(hosts[source.name].egress, target.address) and allowed(hosts[target.name].ingress, source.address)


def needed(stack_plan: Plan, source: Node, target: Node, port: int) -> bool:
    """Whether this pair has something to say to each other on that port."""
    if {source.scope, target.scope} == {"one", "two"}:
        # Only what is open to the whole world.
        return open_to_world(stack_plan, target, port) and port in {80, 443}
    for one, other, number in OPEN:
        if number == port and one in source.roles and (other == EVERY_NODE or other in target.roles):
            return True
    # Everyone may fetch from the world, of which a proxy is a part.
    return open_to_world(stack_plan, target, port) and port in {80, 443}


def world_ports(stack_plan: Plan, node: Node) -> set[int]:
    """The ports of a node that its security groups open to the whole world."""
    return {
        rule.port
        for rule in stack_plan.scope_of(node).rules
        if rule.direction == "ingress" and rule.remote_cidr == "0.0.0.0/0" and rule.group in groups(node)
    }


def open_to_world(stack_plan: Plan, node: Node, port: int) -> bool:
    return port in world_ports(stack_plan, node)


def pairs(stack_plan: Plan) -> Iterator[tuple[Node, Node]]:
    """Every two nodes of which one is of the first release or the bastion's: the second release is as the first."""
    near = [node for node in stack_plan.nodes if node.scope != "two"]
    for one in near:
        for other in stack_plan.nodes:
            if one.address != other.address:
                yield one, other
                yield other, one


@thorough
@given(PLACED)
def test_every_needed_flow_is_open_and_no_other(placed: dict[str, Any]) -> None:
    stack_plan = layout(placed)
    ports = {number for _, _, number in OPEN} | {flow.port for flow in FLOWS if flow.target not in (WORLD, STORAGE)}
    for source, target in pairs(stack_plan):
        for port in ports:
            assert open_between(stack_plan, source, target, port) == needed(stack_plan, source, target, port), (
                f"{source.name} to {target.name}:{port}"
            )


@thorough
@given(PLACED)
def test_hosts_and_security_groups_agree(placed: dict[str, Any]) -> None:
    stack_plan = layout(placed)
    hosts = of_hosts(stack_plan)
    for source, target in pairs(stack_plan):
        for port in {flow.port for flow in FLOWS}:
            assert open_by_host(hosts, source, target, port) == open_between(stack_plan, source, target, port), (
                f"{source.name} to {target.name}:{port}"
            )


@thorough
@given(PLACED)
def test_the_world_reaches_the_public_ports_and_the_bastion_only(placed: dict[str, Any]) -> None:
    stack_plan = layout(placed)
    for node in stack_plan.nodes:
        opened = world_ports(stack_plan, node)
        if Role.BASTION in node.roles:
            assert opened == {22}
        elif Role.PROXY in node.roles:
            servers = range(14061, 14061 + placed["readonly"]) if placed["readonly"] > 1 else ()
            assert opened == PUBLIC | set(servers) | ({2222} if placed["upload"] else set())
        else:
            assert opened == set()


@thorough
@given(PLACED)
def test_no_two_services_of_a_node_wait_on_one_port(placed: dict[str, Any]) -> None:
    for node in layout(placed).nodes:
        assert len(set(node.listens)) == len(node.listens)


@thorough
@given(PLACED)
def test_every_rule_names_groups_of_its_own_scope_once(placed: dict[str, Any]) -> None:
    for scope in layout(placed).scopes:
        assert len(set(scope.rules)) == len(scope.rules)
        assert all(rule.group in scope.security_groups for rule in scope.rules)
        assert all(rule.remote_group in (None, *scope.security_groups) for rule in scope.rules)


@pytest.mark.parametrize("stack", stacks.LAYOUTS)
def test_a_node_without_the_proxy_role_is_not_reached_from_outside(stack: str) -> None:
    stack_plan = stacks.plan_of(stack)
    for node in stack_plan.nodes:
        if not {Role.PROXY, Role.BASTION}.intersection(node.roles):
            assert not world_ports(stack_plan, node).intersection(node.listens)


def test_raw_images_are_reached_where_they_are_mounted() -> None:
    values = stacks.values("uod")
    values["storageNetwork"] = {"name": "storage", "cidr": "172.16.0.0/16"}
    stack_plan = plan(parse(values, Source("uod", "Pulumi.uod.yaml")), "uod")
    to_storage = {rule.group for rule in stack_plan.releases[0].rules if rule.remote_cidr == "172.16.0.0/16"}
    assert to_storage == {"prod130-omero-readonly", "prod130-omero-readwrite"}
    assert not any(rule.remote_cidr == "0.0.0.0/0" and rule.port == 2049 for rule in stack_plan.releases[0].rules)


@pytest.mark.parametrize(("visitors", "is_open"), [("public", True), ("login", False)])
def test_what_speaks_no_tls_is_closed_where_users_log_in(visitors: str, is_open: bool) -> None:
    stack_plan = plan(
        parse(stacks.values("local") | {"visitors": visitors}, Source("local", "Pulumi.local.yaml")), "local"
    )
    (proxy,) = stack_plan.releases[0].with_role(Role.PROXY)
    assert any(rule.port == 9000 for scope in stack_plan.scopes for rule in scope.rules) == is_open
    assert (
        any(allow.port == 9000 for node in stack_plan.nodes for allow in host_rules(stack_plan, node).ingress)
        == is_open
    )
    assert (9000 in proxy.listens, 9000 in bastion_ports(stack_plan)) == (is_open, is_open)


def test_a_closed_site_reaches_its_proxies() -> None:
    values = stacks.values("uod") | {"proxies": {"http": "http://squid.example.org:3128"}}
    stack_plan = plan(parse(values, Source("uod", "Pulumi.uod.yaml")), "uod")
    assert {rule.group for rule in stack_plan.releases[0].rules if rule.port == 3128} == {"prod130-node"}


PROXIES = {"packages": "http://cache.example.org:3142", "http": "http://user:pass@192.0.2.10:3128"}


def fetched(stack_plan: Plan, node: Node) -> set[tuple[int, str, tuple[str, ...]]]:
    """Where a node may fetch from, as both firewalls say: ports, networks, and by its own firewall which accounts."""
    by_groups = {
        (rule.port, rule.remote_cidr)
        for rule in stack_plan.scope_of(node).rules
        if rule.direction == "egress" and rule.group in groups(node)
    }
    lines = (line for line in host_rules(stack_plan, node).egress if line.why.startswith(("packages", "the cloud's")))
    allowed = {(line.port, peer, line.users) for line in lines for peer in line.peers}
    assert {(port, peer) for port, peer, _ in allowed} <= by_groups
    return allowed


@pytest.mark.parametrize(
    ("network", "cache"), [(None, "0.0.0.0/0"), ("192.0.2.0/28", "192.0.2.0/28")], ids=["names", "names in a network"]
)
def test_a_closed_site_fetches_through_its_proxies_alone(network: str | None, cache: str) -> None:
    proxies = {**PROXIES, "network": network} if network else PROXIES
    stack_plan = plan(
        parse({**stacks.values("local"), "proxies": proxies}, Source("local", "Pulumi.local.yaml")), "local"
    )
    for node in stack_plan.nodes:
        assert fetched(stack_plan, node) == {
            (80, "169.254.169.254/32", ()),
            (3128, "192.0.2.10/32", FETCHERS),
            (3142, cache, FETCHERS),
        }
    out = (rule for scope in stack_plan.scopes for rule in scope.rules if rule.direction == "egress")
    assert {80, 443}.isdisjoint(rule.port for rule in out if rule.remote_cidr == "0.0.0.0/0")


def test_nobody_but_root_and_apt_fetches_from_the_world() -> None:
    stack_plan = stacks.plan_of("local")
    for node in stack_plan.nodes:
        assert fetched(stack_plan, node) == {(port, "0.0.0.0/0", FETCHERS) for port in (80, 443)}


def test_ssh_and_omero_clients_come_from_the_stacks_networks_alone() -> None:
    values = stacks.values("local") | {"sshFrom": ["192.0.2.0/28", "192.0.2.77/32"], "omeroFrom": ["192.0.2.128/25"]}
    values["releases"]["demo1"]["nodes"]["omeroreadonly"] = {
        "roles": ["omero-readonly"],
        "flavor": "local.small",
        "count": 2,
    }
    stack_plan = plan(parse(values, Source("local", "Pulumi.local.yaml")), "local")
    clients = {"192.0.2.128/25"}
    expected = {22: {"192.0.2.0/28", "192.0.2.77/32"}, 4064: clients, 14061: clients, 14062: clients}
    for port, alias in ((22, "bastion"), (4064, "proxy"), (14061, "proxy"), (14062, "proxy")):
        (node,) = (node for node in stack_plan.nodes if node.alias == alias)
        inside = {str(scope.subnet.cidr) for scope in stack_plan.scopes}
        by_host = {peer for line in host_rules(stack_plan, node).ingress if line.port == port for peer in line.peers}
        by_groups = {
            rule.remote_cidr
            for rule in stack_plan.scope_of(node).rules
            if (rule.port, rule.direction) == (port, "ingress") and rule.group in groups(node) and rule.remote_cidr
        }
        assert {peer for peer in by_host if peer.startswith("192.0.2.") or peer.endswith("/0")} == expected[port]
        assert by_groups - inside - by_host == set()
        assert expected[port] <= by_groups
        assert "0.0.0.0/0" not in by_groups
    assert world_ports(stack_plan, next(node for node in stack_plan.nodes if node.alias == "proxy")) == {80, 443}
