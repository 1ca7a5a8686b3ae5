"""Views of the plan for people and tools: inventory, ssh configuration, endpoints, the firewall as a table.

Pure functions of the plan and of the few facts that only a finished `up` knows.
"""

from dataclasses import dataclass
from typing import Any

from model.firewall import Rule
from model.plan import Node, Plan
from model.roles import OMERO_ROLES, Role
from model.secrets import Secrets


@dataclass(frozen=True)
class Addresses:
    """What the cloud decided: the public address and the bastion's."""

    public: str
    bastion: str


def endpoints(addresses: Addresses) -> dict[str, str]:
    """Where the service is."""
    return {
        "web": f"https://{addresses.public}/",
        "api": f"https://{addresses.public}/api/v0/",
        "omero": f"{addresses.public}:4064",
        "bastion": f"{addresses.bastion}:22",
    }


def inventory(plan: Plan, addresses: Addresses) -> dict[str, Any]:
    """An Ansible dynamic inventory (`--list`), with IDR's own group names."""
    groups: dict[str, list[str]] = {}
    for node in plan.nodes:
        for group in _groups(node):
            groups.setdefault(group, []).append(node.name)
    variables = {node.name: _host_variables(node, plan, addresses) for node in plan.nodes}
    listed = {name: {"hosts": hosts} for name, hosts in sorted(groups.items())}
    return {**listed, "_meta": {"hostvars": variables}}


def _groups(node: Node) -> list[str]:
    names = {role.value.replace("-", "") for role in node.roles}
    if OMERO_ROLES.intersection(node.roles):
        names.add("omero")
    prefixed = {f"{node.scope}-{name}-hosts" for name in names} if node.scope != Role.BASTION else set()
    return sorted({f"{node.scope}-hosts", *(f"{name}-hosts" for name in names), *prefixed})


def _host_variables(node: Node, plan: Plan, addresses: Addresses) -> dict[str, Any]:
    jump = f"-o ProxyJump=idr@{addresses.bastion}"
    is_bastion = node == plan.bastion_node
    return {
        "ansible_host": addresses.bastion if is_bastion else str(node.address),
        "ansible_user": "idr",
        **({} if is_bastion else {"ansible_ssh_common_args": jump}),
        "idr_environment": node.scope,
        "idr_roles": [role.value for role in node.roles],
    }


def ssh_config(plan: Plan, addresses: Addresses, known_hosts_file: str) -> str:
    """An ssh_config that reaches every node by name, through the bastion, and accepts only the known host keys."""
    blocks = [
        f"Host {' '.join(node.name for node in plan.nodes)}\n"
        f"  User idr\n  StrictHostKeyChecking yes\n  UserKnownHostsFile {known_hosts_file}\n"
    ]
    for node in plan.nodes:
        host = addresses.bastion if node == plan.bastion_node else str(node.address)
        jump = "" if node == plan.bastion_node else f"  ProxyJump {plan.bastion_node.name}\n"
        blocks.append(f"Host {node.name}\n  HostName {host}\n  HostKeyAlias {node.name}\n{jump}")
    return "\n".join(blocks)


def known_hosts(plan: Plan, secrets: Secrets) -> str:
    """Every node's host key under its name, as a known_hosts file."""
    return "".join(f"{node.name} {secrets.ssh_key(f'host/{node.name}').public}\n" for node in plan.nodes)


def firewall_table(plan: Plan) -> list[dict[str, Any]]:
    """Every rule as a row: who, to whom, which port, why."""
    return [_row(rule) for scope in (plan.bastion, *plan.releases) for rule in scope.rules]


def _row(rule: Rule) -> dict[str, Any]:
    remote = rule.remote_group or rule.remote_cidr
    source, target = (remote, rule.group) if rule.direction == "ingress" else (rule.group, remote)
    return {"from": source, "to": target, "protocol": rule.transport, "port": rule.port, "why": rule.why}


def releases(plan: Plan) -> list[dict[str, Any]]:
    """The releases of the stack and which one is live."""
    return [
        {
            "name": release.name,
            "live": release.name == plan.live,
            "cidr": str(release.subnet.cidr),
            "nodes": [node.name for node in release.nodes],
        }
        for release in plan.releases
    ]
