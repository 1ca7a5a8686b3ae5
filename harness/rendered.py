"""Renders everything of a plan, as text."""

import json

from cloudinit import render, user_data
from model import shares
from model.outputs import contract
from model.outputs.topology import Known
from model.plan import Node, Plan
from model.secrets import Secrets

KNOWN = Known(public="192.0.2.10", bastion="192.0.2.11", servers={}, volumes={})


def texts(plan: Plan, secrets: Secrets) -> dict[str, str]:
    """Return bootstraps, the files of every bundle, and the outputs, by node and path."""
    texts = {"outputs": json.dumps(contract.outputs(plan, secrets, KNOWN), default=str)}
    for node in plan.nodes:
        texts[f"{node.name} bootstrap"] = user_data.bootstrap(node, plan, secrets)
        texts |= {f"{node.name} {path}": text for path, text in files(node, plan, secrets).items()}
    return texts


def files(node: Node, plan: Plan, secrets: Secrets) -> dict[str, str]:
    """Return the files of a node's bundle, by path."""
    locations = export_locations(plan)
    ids = {volume.purpose: f"{number:08}-0000-4000-8000-000000000000" for number, volume in enumerate(node.volumes)}
    bundle = json.loads(render.bundle(node, plan, secrets, ids, locations))
    return {entry["path"]: entry["content"] for entry in bundle["files"]}


def export_locations(plan: Plan) -> dict[str, str]:
    """Return export locations for the Manila shares of a plan, by name, like those of a cloud."""
    return {share.name: export_location(share.name) for share in shares.of(plan)}


def export_location(share: str) -> str:
    """Return an export location for a Manila share, in the storage network of `everything`."""
    return f"10.35.0.7:/shares/{share}"
