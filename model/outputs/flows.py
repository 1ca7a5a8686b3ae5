"""The firewall's rules with nodes' names, and the rules as a table."""

from collections.abc import Iterable
from ipaddress import IPv4Network

from pydantic import Field

from model.firewall import ANYWHERE, WORLD, Rule
from model.outputs.view import View
from model.plan import Node, Plan

Ends = tuple[str, ...]


class Flow(View):
    """A flow from `source` to `target`: names of nodes, or 'world', or a CIDR outside the stack."""

    source: Ends
    target: Ends
    protocol: str
    port: int
    why: str


class FirewallRow(View):
    """One rule of a security group."""

    source: str = Field(alias="from", description="A security group or a CIDR")
    target: str = Field(alias="to", description="A security group or a CIDR")
    direction: str = Field(description="ingress: a rule of the group in `to`; egress: of the one in `from`")
    protocol: str
    port: int
    why: str


def firewall(plan: Plan) -> tuple[FirewallRow, ...]:
    """Return every rule as a row: source, target, port, reason."""
    return tuple(_row(rule) for scope in plan.scopes for rule in scope.rules)


def flows(plan: Plan) -> tuple[Flow, ...]:
    """Return every rule as a flow between nodes. If both ends are nodes, only the ingress rule is used."""
    distinct: dict[Flow, None] = {}
    for scope in plan.scopes:
        for rule in scope.rules:
            own, remote = _members(rule.group, plan.nodes), _remote(rule, plan.nodes)
            names = {node.name for node in plan.nodes}
            if rule.direction == "egress" and names.issuperset(remote):
                continue
            source, target = (remote, own) if rule.direction == "ingress" else (own, remote)
            if source and target:
                flow = Flow(source=source, target=target, protocol=rule.transport, port=rule.port, why=rule.why)
                distinct[flow] = None
    return tuple(distinct)


def _row(rule: Rule) -> FirewallRow:
    remote = rule.remote_group or rule.remote_cidr or ""
    source, target = (remote, rule.group) if rule.direction == "ingress" else (rule.group, remote)
    return FirewallRow(
        source=source, target=target, direction=rule.direction, protocol=rule.transport, port=rule.port, why=rule.why
    )


def _members(group: str, nodes: Iterable[Node]) -> Ends:
    return tuple(node.name for node in nodes if group in node.security_groups)


def _remote(rule: Rule, nodes: Iterable[Node]) -> Ends:
    if rule.remote_group:
        return _members(rule.remote_group, nodes)
    network = IPv4Network(rule.remote_cidr or ANYWHERE)
    if network == ANYWHERE:
        return (WORLD,)
    # The matrix has a whole network for all nodes in it.
    return tuple(node.name for node in nodes if node.address in network) or (str(network),)
