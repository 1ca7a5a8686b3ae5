"""Finds what no stack can mean, in an accepted plan and in the texts that are rendered from it."""

import dataclasses
import shlex
from collections.abc import Iterator
from ipaddress import IPv4Network

import yaml

from model.outputs import inventory
from model.outputs.topology import Topology, topology
from model.plan import Node, Plan
from model.secrets import Secrets


def replace_nodes(plan: Plan, nodes: tuple[Node, ...]) -> Plan:
    """Return the plan with other nodes in its first release."""
    release = dataclasses.replace(plan.releases[0], nodes=nodes)
    return dataclasses.replace(plan, releases=(release, *plan.releases[1:]))


def of_plan(plan: Plan, texts: dict[str, str]) -> Iterator[str]:
    """Return what no stack can mean, in an accepted plan and in the texts that are rendered from it."""
    yield from _names(plan)
    yield from _networks(plan)
    for node in plan.nodes:
        if not 512 <= node.flavor.memory_mib <= 1 << 24 or not 1 <= node.flavor.vcpus <= 1024:
            yield f"{node.name}: {node.flavor}"
        if any(not 1 <= volume.size_gib <= 1 << 20 for volume in node.volumes):
            yield f"{node.name}: volumes {[volume.size_gib for volume in node.volumes]}"
    for path, text in texts.items():
        yield from _text(path, text)


def _names(plan: Plan) -> Iterator[str]:
    names = [node.name for node in plan.nodes]
    if len(set(names)) != len(names):
        yield f"two nodes of one name: {names}"
    if len({node.address for node in plan.nodes}) != len(names):
        yield "two nodes of one address"
    if any(len(name) > 63 for name in names) or {"localhost"} & {node.alias for node in plan.nodes}:
        yield f"host names: {names}"
    if any(len(label) > 63 or not label for label in plan.host_name.split(".")):
        yield f"hostName {plan.host_name}"
    outputs: Topology = topology(plan, Secrets(plan.stack, "of a test"))
    groups = inventory.ansible(outputs)
    proxies = {node.name for node in plan.nodes if "proxy" in node.roles}
    if set(groups.get("proxy-hosts", {}).get("hosts", [])) != proxies:
        yield f"proxy-hosts: {groups.get('proxy-hosts')}"
    if set(groups) & set(names):
        yield f"both host and group: {set(groups) & set(names)}"


def _networks(plan: Plan) -> Iterator[str]:
    never = [IPv4Network(text) for text in ("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3")]
    for scope in plan.scopes:
        cidr = scope.subnet.cidr
        if any(cidr.overlaps(network) for network in never) or (cidr.is_global and not scope.subnet.existing):
            yield f"{scope.name}: {cidr}"
        if any(address in cidr for address in plan.settings.dns_servers) and not scope.subnet.existing:
            yield f"name server in {cidr}"
    given = plan.settings.floating_ips
    if given.public and given.public == given.bastion:
        yield "one floating address for two machines"
    if any(address in network for address in plan.settings.dns_servers for network in never):
        yield f"name servers {plan.settings.dns_servers}"


def _text(path: str, text: str) -> Iterator[str]:
    if any(character in text for character in "\0\x07\x1b\x85\u2028") or "Undefined" in text:
        yield f"{path}: a control character, or a value that is none"
    if path.endswith("bootstrap") and not isinstance(yaml.safe_load(text), dict):
        yield f"{path}: no cloud-config"
    if path.endswith(".env"):
        for line in text.splitlines():
            if len(words := shlex.split(line, comments=True)) > 1:
                yield f"{path}: {words}"
    if path.endswith("/etc/idr/volumes") and any(
        len(line.split()) != 4 for line in text.splitlines() if not line.startswith("#")
    ):
        yield f"{path}: {text}"
    if path.endswith("nfs/mounts"):
        for line in text.splitlines():
            if not line.startswith("#") and line.split()[1].startswith(("/etc", "/usr", "/data/OMERO/", "/uod/..")):
                yield f"{path}: {line}"
