"""Reads the stack files of this repository without the engine."""

import copy
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from model.plan import Plan
from model.planning import completed, plan
from model.reading import Source, own_values, parse
from model.secrets import Secrets
from model.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
STACK_FILES = {
    "local": ROOT / "dev" / "local" / "Pulumi.local.yaml",
    "uod": ROOT / "Pulumi.uod.yaml",
    "ebi": ROOT / "Pulumi.ebi.yaml",
}
LAYOUTS = STACK_FILES | {
    name: ROOT / "examples" / f"Pulumi.{name}.yaml"
    for name in ("idr", "single-node", "multi-node", "pilot", "institute")
}
"""The stacks, and the layouts in examples/."""
OPERATOR_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINb8hShqOQY992ABkcRYTAsffyhcj03PJsMOYlZ4a98s operator@example.org"
NEW_OPERATOR = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDSUk6ZgYr/l69z12n1tAyq0fkA8siBmQLE9bKlf6pCH new@example.org"
"""Public keys whose private keys nobody has."""
EVERYTHING = {"everything": ROOT / "harness" / "layouts" / "Pulumi.everything.yaml"}
"""A layout with the settings that no other layout has."""


def _file(stack: str) -> Path:
    return (LAYOUTS | EVERYTHING)[stack]


def values(stack: str) -> dict[str, Any]:
    """Return a new copy of a stack file's settings under `idr:`."""
    return copy.deepcopy(_values(stack))


@cache
def _values(stack: str) -> dict[str, Any]:
    return own_values(yaml.safe_load(_file(stack).read_text())["config"])


def small_ebi() -> dict[str, Any]:
    """Return the releases of `ebi` with the same groups, roles and counts, small enough for the local cloud."""
    nodes = values("ebi")["releases"]["prod130"]["nodes"]
    for group in nodes.values():
        group["flavor"] = "local.small"
        for volume in group.get("volumes", {}).values():
            volume["sizeGib"] = 1
    return {"demo1": {"cidr": values("local")["releases"]["demo1"]["cidr"], "nodes": nodes}}


@cache
def settings(stack: str) -> Settings:
    """Return a stack file's settings."""
    return parse(values(stack), Source(stack, _file(stack).name))


@cache
def plan_of(stack: str) -> Plan:
    """Return a stack file's plan."""
    return plan(settings(stack), stack)


def with_settings(plan: Plan, **changed: Any) -> Plan:
    """Return a plan with other settings, which must not affect names, addresses or sizes of nodes."""
    return completed(replace(plan, settings=plan.settings.model_copy(update=changed)))


def secrets_of(stack: str) -> Secrets:
    """Return secrets that are derived from a stack secret for tests."""
    return Secrets(stack, "a stack secret for tests, nowhere else in use")
