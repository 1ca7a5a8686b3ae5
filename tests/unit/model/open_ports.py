"""The open ports of a node, by the security groups and by the host firewalls of a plan."""

from ipaddress import IPv4Address, IPv4Network
from typing import Any

from model.firewall import Rule
from model.matrix import HostRules, host_rules
from model.plan import Node, Plan


def groups(node: Node) -> set[str]:
    return set(node.security_groups)


def lets(rule: Rule, one: Node, other: Node) -> bool:
    """Return whether a rule of `one`'s groups allows `other`."""
    if rule.group not in groups(one):
        return False
    if rule.remote_group:
        return rule.remote_group in groups(other)
    return other.address in IPv4Network(str(rule.remote_cidr))


def open_between(stack_plan: Plan, source: Node, target: Node, port: int) -> bool:
    """Return whether the security groups of both allow TCP from `source` to `target`'s port."""
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
    """Return every node's own firewall, by its name."""
    return {node.name: host_rules(stack_plan, node) for node in stack_plan.nodes}


def open_by_host(hosts: dict[str, HostRules], source: Node, target: Node, port: int) -> bool:
    """Return the same by the two nodes' own firewalls."""

    def allowed(lines: Any, peer: IPv4Address) -> bool:
        return any(
            line.transport == "tcp" and line.port == port and any(peer in IPv4Network(cidr) for cidr in line.peers)
            for line in lines
        )

    return allowed(hosts[source.name].egress, target.address) and allowed(hosts[target.name].ingress, source.address)


def world_ports(stack_plan: Plan, node: Node) -> set[int]:
    """Return the ports of a node that its security groups open to the whole world."""
    return {
        rule.port
        for rule in stack_plan.scope_of(node).rules
        if rule.direction == "ingress" and rule.remote_cidr == "0.0.0.0/0" and rule.group in groups(node)
    }


def open_to_world(stack_plan: Plan, node: Node, port: int) -> bool:
    return port in world_ports(stack_plan, node)
