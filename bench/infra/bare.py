"""From a Pulumi state to a Pulumi program that declares the same resources by the same SDK, and does nothing else.

What it takes is the least that any program takes with this engine, SDK and provider.
"""

import json
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from bench.infra import bare_program
from bench.infra.translate import SECRET
from harness.project import Project

OPTIONS = {
    "deleteBeforeReplace": "delete_before_replace",
    "ignoreChanges": "ignore_changes",
    "protect": "protect",
    "replaceOnChanges": "replace_on_changes",
}
"""Names of a state, and of the SDK."""

Json = Any


def make(project: Project, folder: Path, stack: str) -> Project:
    """Create the bare program in `folder`, which is deleted first, with the state and cloud of a deployed stack."""
    exported = project.pulumi("stack", "export", "--stack", stack, "--show-secrets").stdout
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    shutil.copy(bare_program.__file__, folder / "__main__.py")
    (folder / "resources.json").write_text(json.dumps(resources(json.loads(exported)), indent=1))
    (folder / ".venv").symlink_to((project.folder / ".venv").resolve())
    (folder / "state").mkdir()
    about = yaml.safe_load((project.folder / "Pulumi.yaml").read_text())
    (folder / "Pulumi.yaml").write_text(yaml.safe_dump({key: about[key] for key in ("name", "runtime")}))
    bare = replace(project, folder=folder)
    bare.pulumi("stack", "init", stack)
    stack_file = yaml.safe_load((project.folder / f"Pulumi.{stack}.yaml").read_text())
    for_the_cloud = {key: value for key, value in stack_file["config"].items() if key.startswith("openstack:")}
    (folder / f"Pulumi.{stack}.yaml").write_text(yaml.safe_dump({**stack_file, "config": for_the_cloud}))
    bare.pulumi("stack", "import", "--stack", stack, text_input=exported)
    return bare


def resources(state: Json) -> list[dict[str, Json]]:
    """Return what the bare program declares for `pulumi stack export --show-secrets`: each after what it refers to."""
    listed = [r for r in state["deployment"]["resources"] if not r["type"].startswith("pulumi:")]
    numbers = {resource["urn"]: number for number, resource in enumerate(listed)}
    references = {r["id"]: f"{bare_program.MARK}{numbers[r['urn']]}.id" for r in listed if "id" in r}
    # A floating address is known to others by its address, not by its id.
    references |= {
        r["outputs"]["address"]: f"{bare_program.MARK}{numbers[r['urn']]}.address"
        for r in listed
        if r["type"].endswith(":FloatingIp")
    }
    return [_listed(resource, numbers, references) for resource in listed]


def _listed(resource: Json, numbers: Mapping[str, int], references: Mapping[str, str]) -> dict[str, Json]:
    by_property = {urn for urns in resource.get("propertyDependencies", {}).values() for urn in urns}
    entry = {
        "type": resource["type"],
        "name": resource["urn"].rsplit("::", 1)[-1],
        "parent": numbers.get(resource.get("parent", "")),
        "depends_on": sorted(numbers[urn] for urn in {*resource.get("dependencies", ())} - by_property),
        "options": {name: resource[key] for key, name in OPTIONS.items() if resource.get(key)},
        "properties": dict(_property(key, value, references) for key, value in _given(resource.get("inputs", {}))),
    }
    if resource["custom"]:
        # As `openstack:networking/secGroup:SecGroup`.
        package, module, kind = resource["type"].split(":")
        entry |= {"module": f"pulumi_{package}.{module.partition('/')[0]}", "class": kind}
    return entry


def _given(inputs: Json) -> list[tuple[str, Json]]:
    """Return inputs without what the provider added."""
    return [(key, value) for key, value in inputs.items() if key not in (*inputs.get("__defaults", ()), "__defaults")]


def _property(key: str, value: Json, references: Mapping[str, str]) -> tuple[str, Json]:
    if isinstance(value, dict) and SECRET in value:
        return f"{bare_program.SEALED}{key}", json.loads(value["plaintext"])
    return key, _referred(value, references)


def _referred(value: Json, references: Mapping[str, str]) -> Json:
    if isinstance(value, str):
        return references.get(value, value)
    if isinstance(value, list):
        return [_referred(item, references) for item in value]
    if isinstance(value, dict):
        return {key: _referred(item, references) for key, item in _given(value)}
    return value
