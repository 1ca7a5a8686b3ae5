"""What a reviewer must see of the nodes' configuration. A bundle holds secrets, so a preview hides all of it."""

import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from cloudinit.render import HERE, configuration_folders
from model import addresses
from model.firewall import Flow
from model.plan import Plan

BOOTSTRAP = "bootstrap"


def disclosure(plan: Plan, *, verifies_cloud: bool) -> dict[str, Any]:
    """Who may log in, the flows, the checks that are on, and digests of what configures the nodes.

    All of it is public: digests are those of the sources, never of what is rendered with a secret.
    """
    return {
        "operators": list(plan.operators),
        "keyPair": plan.keypair or "",
        "flows": [_flow(flow) for flow in _flows(plan)],
        "checks": list(_checks(plan, verifies_cloud=verifies_cloud)),
        "files": _digests(plan) if plan.configure else {},
    }


def _checks(plan: Plan, *, verifies_cloud: bool) -> Iterator[str]:
    """The safeguards that a setting turns off, each by a name that says what it does."""
    if verifies_cloud:
        yield "the cloud's certificate is verified"
    if plan.protect_data:
        yield "data volumes are protected"
    if plan.configure:
        yield "nodes have firewalls of their own"
    networks = {node.storage_network for node in plan.nodes if node.storage_network}
    if all(network.port_security for network in networks):
        yield "every port has security groups"


def _flows(plan: Plan) -> list[Flow]:
    zones = (plan.site.bastion, *plan.site.releases)
    return list(dict.fromkeys(flow for zone in zones for flow in plan.site.flows(zone)))


def _flow(flow: Flow) -> dict[str, str]:
    ends = {"from": str(flow.source), "to": str(flow.target), "port": f"{flow.transport} {flow.port}"}
    users = {"users": ", ".join(flow.users)} if flow.users else {}
    return {**ends, **users, "why": flow.why}


def _digests(plan: Plan) -> dict[str, str]:
    """By path in the repository, of the roles that are configured; a frozen release's are not."""
    nodes = [node for scope in plan.scopes if not scope.frozen for node in scope.nodes]
    folders = {BOOTSTRAP, *(folder for node in nodes for folder in configuration_folders(node, plan))}
    found: dict[str, str] = {}
    for folder in sorted(folders):
        found |= _of_folder(folder)
    return found | {_name(file): _digest(file) for file in (*sorted(HERE.glob("*.py")), addresses.TABLE)}


@cache
def _of_folder(folder: str) -> dict[str, str]:
    return {_name(file): _digest(file) for file in _sources(HERE / folder)}


def _sources(folder: Path) -> Iterator[Path]:
    yield from (file for file in sorted(folder.rglob("*")) if file.is_file() and "__pycache__" not in file.parts)


def _name(file: Path) -> str:
    return str(file.relative_to(HERE.parent))


@cache
def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
