"""Inventories: for Ansible, dynamic and static, for Prometheus, and /etc/hosts."""

import shlex
from typing import Any

from model.firewall import NODE_EXPORTER_PORT
from model.outputs.ssh import host, ssh_arguments
from model.outputs.topology import NodeView, Topology
from model.outputs.view import View
from model.role_description import variable_of
from model.roles import FACTS


class Target(View):
    """An entry of a Prometheus file_sd file."""

    targets: tuple[str, ...]
    labels: dict[str, str]


def ansible(topology: Topology, identity: str | None = None) -> dict[str, Any]:
    """Return the output of an Ansible dynamic inventory for `--list`. It needs no ssh configuration and no known_hosts.

    `identity` is a private key's file, for users without an ssh agent.
    """
    listed: dict[str, list[str]] = {}
    for node in topology.nodes:
        for group in node.groups:
            listed.setdefault(group, []).append(node.name)
    variables = {node.name: _variables(node, topology, identity) for node in topology.nodes}
    return {**{name: {"hosts": listed[name]} for name in sorted(listed)}, "_meta": {"hostvars": variables}}


def _variables(node: NodeView, topology: Topology, identity: str | None) -> dict[str, Any]:
    devices = {_volume_variable(node, v.purpose): v.device for v in node.volumes if v.device}
    return {
        "ansible_host": host(node),
        "ansible_user": topology.admin_user,
        "ansible_ssh_common_args": ssh_arguments(node, topology, identity),
        **({"idr_environment": node.release} if node.release else {}),
        "idr_address": node.address,
        # IDR's playbooks read a node's address as ansible_<idr_net_iface>; the machine reports the interface's name.
        "idr_net_iface": "{{ ansible_default_ipv4.interface }}",
        "idr_roles": list(node.roles),
        **devices,
    }


def _volume_variable(node: NodeView, purpose: str) -> str:
    """Return the Ansible variable of the volume's mount; if two roles share the volume, that of the first role."""
    volumes = (facts.volume for role, facts in FACTS.items() if role in node.roles)
    names = (volume.variable() for volume in volumes if volume and volume.name == purpose)
    # Saved outputs may be of a version that had other roles.
    return next(names, variable_of(purpose))


def ini(topology: Topology, identity: str | None = None) -> str:
    """Return a static Ansible inventory file."""
    dynamic = ansible(topology, identity)
    variables = dynamic.pop("_meta")["hostvars"]
    hosts = [f"{name} {_pairs(variables[name])}" for name in variables]
    sections = [f"[{group}]\n" + "\n".join(about["hosts"]) for group, about in dynamic.items()]
    return "\n\n".join(["\n".join(hosts), *sections]) + "\n"


def _pairs(variables: dict[str, Any]) -> str:
    # Ansible splits a host's line like a shell, and then reads each value as a Python literal if possible.
    return " ".join(f"{key}={shlex.quote(str(value))}" for key, value in variables.items())


def prometheus(topology: Topology) -> tuple[Target, ...]:
    """Return every node's exporter, and the metrics of the site's own roles, in Prometheus' file_sd format."""
    # Over TLS, with a certificate of the stack's authority, unless another tool configures the nodes.
    scheme = {"__scheme__": "https"} if topology.configured else {}
    exporters = (_target(node, topology, NODE_EXPORTER_PORT, **scheme) for node in topology.nodes)
    of_site_roles = (
        _target(
            node,
            topology,
            metrics.port,
            role=metrics.role,
            __metrics_path__=metrics.path,
            __scheme__="https" if metrics.tls else "http",
        )
        for node in topology.nodes
        for metrics in node.metrics
    )
    return (*exporters, *of_site_roles)


def _target(node: NodeView, topology: Topology, port: int, **more: str) -> Target:
    labels = {
        "stack": topology.stack,
        "release": node.release or "",
        "node": node.name,
        "roles": ",".join(node.roles),
    }
    return Target(targets=(f"{node.address}:{port}",), labels=labels | more)


def hosts_file(topology: Topology) -> str:
    """Return lines for /etc/hosts: every node's full name, and the short names of the live release's nodes."""
    return "".join(
        f"{node.address} {node.name}{f' {node.alias}' if node.release == topology.live else ''}\n"
        for node in topology.nodes
    )
