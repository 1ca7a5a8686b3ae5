"""The matrix: the needed ports are open between the right nodes in both firewalls, and no others are."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import stacks
from model.firewall import EVERY_NODE, FLOWS, STORAGE, WORLD
from model.plan import Node, Plan
from model.planning import plan
from model.reading import Source, parse
from model.roles import Role
from tests.unit.model.open_ports import of_hosts, open_between, open_by_host, open_to_world, world_ports

PUBLIC = {80, 443, 4064}
# Between nodes, over TCP: written by hand, so that a change of the matrix does not change its expectation.
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
ROLES = st.fixed_dictionaries(
    {
        "omero": st.lists(st.sampled_from(["web", "redis", "database", "management"]), unique=True, max_size=4),
        "readonly": st.integers(0, 3),
        "proxies": st.integers(1, 2),
        "together": st.booleans(),
        "upload": st.booleans(),
    }
)


def layout(roles: dict[str, Any]) -> Plan:
    """Return a plan with the roles combined on nodes as `roles` describes."""
    beside = roles["omero"] + (["proxy"] if roles["together"] else [])
    nodes: dict[str, Any] = {
        "omero": {"roles": ["omero-readwrite", *beside], "flavor": "huge"},
        **{name: {"roles": [name], "flavor": "huge"} for name in ("database", "redis", "web") if name not in beside},
    }
    if not roles["together"]:
        nodes["proxy"] = {"roles": ["proxy"], "flavor": "huge", "count": roles["proxies"]}
    if roles["readonly"]:
        nodes["readonly"] = {"roles": ["omero-readonly"], "flavor": "huge", "count": roles["readonly"]}
    if roles["upload"]:
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


def needed(stack_plan: Plan, source: Node, target: Node, port: int) -> bool:
    """Return whether this pair needs that port."""
    if {source.scope, target.scope} == {"one", "two"}:
        # Only ports that are open to the whole world.
        return open_to_world(stack_plan, target, port) and port in {80, 443}
    for one, other, number in OPEN:
        if number == port and one in source.roles and (other == EVERY_NODE or other in target.roles):
            return True
    # Everyone may connect to public addresses, and the proxy has one.
    return open_to_world(stack_plan, target, port) and port in {80, 443}


def pairs(stack_plan: Plan) -> Iterator[tuple[Node, Node]]:
    """Return every two nodes, one of them of the first release or the bastion: the second release is like the first."""
    near = [node for node in stack_plan.nodes if node.scope != "two"]
    for one in near:
        for other in stack_plan.nodes:
            if one.address != other.address:
                yield one, other
                yield other, one


@thorough
@given(ROLES)
def test_every_needed_flow_is_open_and_no_other(roles: dict[str, Any]) -> None:
    stack_plan = layout(roles)
    ports = {number for _, _, number in OPEN} | {flow.port for flow in FLOWS if flow.target not in (WORLD, STORAGE)}
    for source, target in pairs(stack_plan):
        for port in ports:
            assert open_between(stack_plan, source, target, port) == needed(stack_plan, source, target, port), (
                f"{source.name} to {target.name}:{port}"
            )


@thorough
@given(ROLES)
def test_hosts_and_security_groups_agree(roles: dict[str, Any]) -> None:
    stack_plan = layout(roles)
    hosts = of_hosts(stack_plan)
    for source, target in pairs(stack_plan):
        for port in {flow.port for flow in FLOWS}:
            assert open_by_host(hosts, source, target, port) == open_between(stack_plan, source, target, port), (
                f"{source.name} to {target.name}:{port}"
            )


@thorough
@given(ROLES)
def test_the_world_reaches_the_public_ports_and_the_bastion_only(roles: dict[str, Any]) -> None:
    stack_plan = layout(roles)
    for node in stack_plan.nodes:
        opened = world_ports(stack_plan, node)
        if Role.BASTION in node.roles:
            assert opened == {22}
        elif Role.PROXY in node.roles:
            servers = range(14061, 14061 + roles["readonly"]) if roles["readonly"] > 1 else ()
            assert opened == PUBLIC | set(servers) | ({2222} if roles["upload"] else set())
        else:
            assert opened == set()


@thorough
@given(ROLES)
def test_no_two_services_of_a_node_wait_on_one_port(roles: dict[str, Any]) -> None:
    for node in layout(roles).nodes:
        assert len(set(node.listens)) == len(node.listens)


@thorough
@given(ROLES)
def test_every_rule_names_groups_of_its_own_scope_once(roles: dict[str, Any]) -> None:
    for scope in layout(roles).scopes:
        assert len(set(scope.rules)) == len(scope.rules)
        assert all(rule.group in scope.security_groups for rule in scope.rules)
        assert all(rule.remote_group in (None, *scope.security_groups) for rule in scope.rules)


@pytest.mark.parametrize("stack", stacks.LAYOUTS)
def test_a_node_without_the_proxy_role_is_not_reached_from_outside(stack: str) -> None:
    stack_plan = stacks.plan_of(stack)
    for node in stack_plan.nodes:
        if not {Role.PROXY, Role.BASTION}.intersection(node.roles):
            assert not world_ports(stack_plan, node).intersection(node.listens)
