"""Flows that a stack adds to the matrix: open in both firewalls, shown in the outputs, and reviewed like the others."""

from typing import Any

import pytest

from cloudinit import render
from components.firewall import resource_name
from harness import stacks
from idr.diagram.boxes import picture
from idr.resources import SECURITY_RULE
from idr.review import rules
from idr.review.preview import Preview, State, Step
from idr.review.rules import Change
from model.firewall import Rule
from model.outputs.contract import outputs
from model.outputs.topology import topology
from model.plan import Node, Plan
from model.planning import plan
from model.reading import Source, parse
from model.roles import Role
from tests.golden_files import KNOWN, NamedSecrets
from tests.unit.model.mistakes import mistakes
from tests.unit.model.open_ports import of_hosts, open_between, open_by_host

WHY = "OMERO.web behind nginx"
FLOW = {"from": "proxy", "to": "omero-readonly", "ports": [8090], "why": WHY}
SECRETS = NamedSecrets("ebi", "unused")


def ebi(*flows: dict[str, Any], **changes: Any) -> Plan:
    values = stacks.values("ebi") | {"flows": list(flows)} | changes
    return plan(parse(values, Source("ebi", "Pulumi.ebi.yaml")), "ebi")


def added(*flows: dict[str, Any]) -> set[str]:
    """Return the names of the rules that a stack has for these flows alone."""
    before, after = (
        {resource_name(r) for s in stack_plan.scopes for r in s.rules} for stack_plan in (ebi(), ebi(*flows))
    )
    return after - before


def test_a_flow_between_roles_is_open_in_both_firewalls_and_between_no_others() -> None:
    stack_plan = ebi(FLOW)
    hosts = of_hosts(stack_plan)
    for source in stack_plan.nodes:
        for target in stack_plan.nodes:
            wanted = "proxy" in source.roles and "omero-readonly" in target.roles
            if source.name != target.name and not (source.scope == "bastion" or target.scope == "bastion"):
                assert open_by_host(hosts, source, target, 8090) is wanted, f"{source.name} to {target.name}"
                assert open_between(stack_plan, source, target, 8090) is wanted, f"{source.name} to {target.name}"


@pytest.mark.parametrize(
    ("flow", "expected"),
    [
        (
            {"from": "world", "to": "proxy", "ports": ["8090-8091"]},
            {"prod130-proxy-tcp-8090-from-0.0.0.0/0", "prod130-proxy-tcp-8091-from-0.0.0.0/0"},
        ),
        (
            {"from": "management", "to": "node", "ports": [9280]},
            {
                "prod130-node-tcp-9280-from-prod130-management",
                "prod130-management-tcp-9280-to-prod130-node",
                "prod130-management-tcp-9280-to-192.168.0.0/24",
                "bastion-node-tcp-9280-from-192.168.130.60/32",
            },
        ),
        (
            {"from": "134.36.0.0/16", "to": "management", "ports": [3000, 9090]},
            {"prod130-management-tcp-3000-from-134.36.0.0/16", "prod130-management-tcp-9090-from-134.36.0.0/16"},
        ),
        (
            {"from": "node", "to": "192.0.2.0/24", "ports": [514], "transport": "udp"},
            {"prod130-node-udp-514-to-192.0.2.0/24", "bastion-node-udp-514-to-192.0.2.0/24"},
        ),
        (
            {"from": "bastion", "to": "management", "ports": [3000]},
            {"prod130-management-tcp-3000-from-192.168.0.10/32", "bastion-bastion-tcp-3000-to-192.168.130.60/32"},
        ),
    ],
)
def test_a_flow_becomes_the_rules_of_its_ends(flow: dict[str, Any], expected: set[str]) -> None:
    assert added({**flow, "why": WHY}) == expected


def test_another_tools_proxy_has_the_ports_of_single_servers_to_itself() -> None:
    flow = {"from": "world", "to": "proxy", "ports": ["14060-14062"], "why": "one port for each OMERO.server"}
    stack_plan = ebi(flow, configure=False)
    for node in stack_plan.nodes:
        opened = {rule.port for rule in stack_plan.scope_of(node).rules if lets_in_the_world(rule, node)}
        assert {port for port in opened if port > 14000} == ({14060, 14061, 14062} if "proxy" in node.roles else set())
        assert not {port for port in node.listens if port > 14000}


def lets_in_the_world(rule: Rule, node: Node) -> bool:
    return rule.direction == "ingress" and rule.remote_cidr == "0.0.0.0/0" and rule.group in node.security_groups


def test_the_bastion_passes_on_what_a_flow_lets_operators_reach() -> None:
    stack_plan = ebi({"from": "bastion", "to": "management", "ports": [3000], "why": "Grafana"})
    assert "*:3000 " in render.bundle(stack_plan.bastion_node, stack_plan, SECRETS, {})
    assert "*:3000 " not in render.bundle(stack_plan.bastion_node, ebi(), SECRETS, {})


def test_two_flows_that_come_to_one_rule_are_declared_once() -> None:
    # One node with both roles, which the bastion's network reaches by its address.
    values = stacks.values("single-node") | {
        "flows": [
            {"from": "bastion", "to": "web", "ports": [8000], "why": "one"},
            {"from": "bastion", "to": "redis", "ports": [8000], "why": "two"},
        ]
    }
    stack_plan = plan(parse(values, Source("single-node", "Pulumi.single-node.yaml")), "single-node")
    for scope in stack_plan.scopes:
        names = [resource_name(rule) for rule in scope.rules]
        assert sorted(set(names)) == sorted(names)


def test_a_flow_is_shown_with_its_reason_in_outputs_and_diagram() -> None:
    stack_plan = ebi(FLOW, {"from": "192.0.2.0/24", "to": "management", "ports": [3000], "why": "Grafana"})
    shown = outputs(stack_plan, SECRETS, KNOWN)
    assert {row["to"] for row in shown["firewall"] if row["why"] == WHY} == {"prod130-omero-readonly"}
    assert [flow["source"] for flow in shown["topology"]["flows"] if flow["why"] == "Grafana"] == [["192.0.2.0/24"]]
    lines = {(line.source, line.target): line.ports for line in picture(topology(stack_plan, SECRETS)).lines}
    assert lines["192.0.2.0/24", "prod130-management"] == ("3000",)
    assert "8090" in lines["prod130-proxy", "prod130-omeroreadonly"]


def step(plan: Plan, name: str, *, new: bool) -> Step:
    rule = next(rule for scope in plan.scopes for rule in scope.rules if resource_name(rule) == name)
    state = State(
        inputs={
            "direction": rule.direction,
            "protocol": rule.transport,
            "portRangeMin": rule.port,
            "portRangeMax": rule.port,
            "remoteIpPrefix": rule.remote_cidr,
            "remoteGroupId": rule.remote_group,
        },
        property_dependencies={"securityGroupId": [f"urn::idr::group::{rule.group}"]},
    )
    urn = f"urn:pulumi:ebi::idr::{SECURITY_RULE}::{name}"
    return Step(op="create", urn=urn, new=state) if new else Step(op="same", urn=urn, old=state, new=state)


@pytest.mark.parametrize(("source", "broken"), [("world", {"world-open-port"}), ("134.36.0.0/16", set())])
def test_a_flow_from_the_world_is_refused_by_the_guard_rail_until_it_is_allowed(source: str, broken: set[str]) -> None:
    flow = {"from": source, "to": "management", "ports": [3000], "why": "Grafana"}
    stack_plan = ebi(flow)
    old = {resource_name(rule) for scope in ebi().scopes for rule in scope.rules}
    steps = [
        step(stack_plan, resource_name(r), new=resource_name(r) not in old)
        for scope in stack_plan.scopes
        for r in scope.rules
    ]
    breaches = rules.check(Change(Preview(steps=tuple(steps))))
    assert {breach.rule for breach in breaches} == broken
    assert all(breach.text == "tcp 3000 of management is opened to the world" for breach in breaches)


END = f"must be world, node (every node), a role ({', '.join(Role)}) or a network as in 192.0.2.0/24"
REASON = "must be one line of at most 100 letters, without quotes and backslashes"
BAD = {
    "no such role": ({**FLOW, "to": "unknown"}, f"idr:flows.0.to: {END} (given: 'unknown')"),
    "a role without a node": (
        {**FLOW, "to": "management"},
        "idr: flows.0.to: no node has the role management",
    ),
    "host bits": ({**FLOW, "from": "192.0.2.1/24"}, f"idr:flows.0.from: {END} (given: '192.0.2.1/24')"),
    "the world as a network": ({**FLOW, "from": "0.0.0.0/0"}, "idr:flows.0.from: say world (given: '0.0.0.0/0')"),
    "half of the world as a network": (
        {**FLOW, "from": "0.0.0.0/1"},
        "idr:flows.0.from: cannot be a network of machines: 0.0.0.0/8 means 'this network' (given: '0.0.0.0/1')",
    ),
    "each machine itself": (
        {**FLOW, "to": "127.0.0.0/8"},
        "idr:flows.0.to: cannot be a network of machines: 127.0.0.0/8 is each machine itself (given: '127.0.0.0/8')",
    ),
    "a mask": (
        {**FLOW, "from": "192.0.2.0/255.255.255.0"},
        f"idr:flows.0.from: {END} (given: '192.0.2.0/255.255.255.0')",
    ),
    "both ends outside": (
        {**FLOW, "from": "world", "to": "192.0.2.0/24"},
        "idr:flows.0: from world to 192.0.2.0/24: one of them must be a role or `node`",
    ),
    "port 0": ({**FLOW, "ports": [0]}, "idr:flows.0.ports.0: must be at least 1 (given: 0)"),
    "port 65536": (
        {**FLOW, "ports": [65536]},
        "idr:flows.0.ports.0: must be at most 65535 (given: 65536)",
    ),
    "a port that is none": (
        {**FLOW, "ports": [True]},
        "idr:flows.0.ports.0: must be a whole number (given: True)",
    ),
    "a range upside down": ({**FLOW, "ports": ["90-80"]}, "idr:flows.0.ports: '90-80' is no range of ports"),
    "a range in other digits": (
        {**FLOW, "ports": ["\u0661-\u0663"]},
        "idr:flows.0.ports.0: must be a whole number (given: '\u0661-\u0663')",
    ),
    "a range of a number without end": (
        {**FLOW, "ports": ["1-" + "9" * 5000]},
        f"idr:flows.0.ports.0: must be a whole number (given: '1-{'9' * 77}...)",
    ),
    "another transport": (
        {**FLOW, "transport": "icmp"},
        "idr:flows.0.transport: must be one of 'tcp', 'udp' (given: 'icmp')",
    ),
    "an empty reason": ({**FLOW, "why": " "}, f"idr:flows.0.why: {REASON} (given: ' ')"),
    "no port": (
        {**FLOW, "ports": []},
        "idr:flows.0: ports: name 1 to 100, not 0",
    ),
    "every port": (
        {**FLOW, "ports": ["1-65535"]},
        "idr:flows.0: ports: name 1 to 100, not 65535",
    ),
    "a port twice": ({**FLOW, "ports": [80, "79-81"]}, "idr:flows.0: ports: 80 twice"),
    "what the matrix has": (
        {**FLOW, "to": "web", "ports": [4080]},
        "idr: flows.0: proxy to web, tcp 4080: the matrix has it already (OMERO.web)",
    ),
    "a port that the proxy has for one OMERO.server": (
        {**FLOW, "from": "world", "to": "proxy", "ports": [14061]},
        "idr: flows.0: world to proxy, tcp 14061: the matrix has it already (OMERO clients of server 1)",
    ),
    "no reason": (
        {key: value for key, value in FLOW.items() if key != "why"},
        "idr:flows.0.why: is required",
    ),
    "a reason that ends a string": ({**FLOW, "why": 'a " drop'}, f"idr:flows.0.why: {REASON} (given: 'a \" drop')"),
    "two lines": ({**FLOW, "why": "a\nb"}, f"idr:flows.0.why: {REASON} (given: 'a\\nb')"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_flow_that_cannot_be_is_named_with_its_key(case: str) -> None:
    flow, message = BAD[case]
    messages = mistakes(
        lambda values: values.update(flows=[flow | ({"to": "web"} if flow["to"] == "omero-readonly" else {})])
    )
    assert messages == [f"Pulumi.local.yaml: {message}"]


def test_a_flow_is_declared_once() -> None:
    flow = {**FLOW, "to": "web"}
    messages = mistakes(lambda values: values.update(flows=[flow, {**flow, "ports": [79, 8090], "why": "again"}]))
    assert messages == [f"Pulumi.local.yaml: idr: flows.1: proxy to web, tcp 8090: flows.0 has it already ({WHY})"]
