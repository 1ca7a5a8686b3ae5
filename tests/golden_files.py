"""Golden files: everything that the stacks and layouts declare, as text to read and to compare.

They have the plan, the outputs, the declaration of every resource, each node's bootstrap and configuration.

`make generate` writes tests/golden/ again; reviewers read the difference. Secrets appear by name only.
"""

import dataclasses
import json
import shutil
from collections.abc import Iterator, Mapping
from difflib import unified_diff
from enum import Enum
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel

from cloudinit import render, user_data
from harness import rendered, stacks
from model.certificates import Certificate
from model.openssh import SshKey
from model.outputs import contract
from model.outputs.topology import Known
from model.plan import Node, Plan
from model.planning import plan as planned
from model.role_description import FOLDER as ROLES
from model.secrets import Secrets
from model.visitors import Visitors
from tests import declared

LAYOUTS = (*stacks.LAYOUTS, *stacks.EVERYTHING)
ALIKE = {"uod": "ebi"}
"""Layouts whose golden files keep only the differences from another layout."""
PRIVATE = "institute"
"""The layout whose golden files keep only the differences from itself with other visitors."""
FOLDER = Path(__file__).with_name("golden")
VOLUME_ID = "00000000-0000-4000-8000-0000000000"
KNOWN = Known(public="192.0.2.10", bastion="192.0.2.11", servers={}, volumes={})


@dataclasses.dataclass(frozen=True)
class NamedSecrets(Secrets):
    """Secrets whose values are their names."""

    def password(self, name: str) -> str:
        return f"<password {name}>"

    def ssh_key(self, name: str, rotation: int | None = None) -> SshKey:
        number = rotation or self.rotations.get(f"ssh/{name}", 1)
        return SshKey(f"<private key {name} {number}>\n", f"ssh-ed25519 <public key {name} {number}>")

    @cached_property
    def authority(self) -> Certificate:
        return Certificate("<private key of the authority>\n", "<certificate of the authority>\n")

    def certificate(self, name: str, hosts: tuple[str, ...]) -> Certificate:
        return Certificate(f"<private key of {name}>\n", f"<certificate of {name} for {', '.join(hosts)}>\n")

    def visitors_certificate(self, name: str, host: str) -> Certificate:
        return Certificate(f"<private key of {name}>\n", f"<certificate of {host} for visitors>\n")


def files(layout: str) -> dict[str, str]:
    """Return the golden files of a layout, by name."""
    if layout == PRIVATE:
        return {"against-public.diff": "".join(_differences(texts(layout, Visitors.PUBLIC), texts(layout)))}
    if layout not in ALIKE:
        return texts(layout)
    return {f"against-{ALIKE[layout]}.diff": "".join(_differences(texts(ALIKE[layout]), texts(layout)))}


def _differences(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[str]:
    """Return the lines that differ, without their numbers, which would change with every template."""
    for name in sorted(before.keys() | after.keys()):
        one, other = (texts.get(name, "").splitlines(keepends=True) for texts in (before, after))
        for line in unified_diff(one, other, name, name, n=0):
            yield "@@\n" if line.startswith("@@ ") else line


@cache
def texts(layout: str, visitors: Visitors | None = None) -> dict[str, str]:
    """Return all texts of a layout by name; one in no stack has declarations alone. `visitors` replaces its setting."""
    settings = stacks.settings(layout)
    plan = planned(settings.model_copy(update={"visitors": visitors}) if visitors else settings, layout)
    secrets = NamedSecrets(layout, "never derived from")
    contents = {"resources.yaml": _resources(plan, secrets)}
    if layout in stacks.EVERYTHING:
        return contents
    contents |= {
        # The stack file has the settings.
        "plan.yaml": _yaml(_plain({name: value for name, value in vars(plan).items() if name != "settings"})),
        "outputs.yaml": _yaml(contract.outputs(plan, secrets, KNOWN)),
    }
    for node in plan.nodes:
        # The other nodes of a group differ in name and address alone.
        if node.number == 1:
            contents[f"{node.name}.bootstrap.yaml"] = _bootstrap(node, plan, secrets)
            contents[f"{node.name}.configuration.txt"] = _configuration(node, plan, secrets)
    return contents


def _resources(plan: Plan, secrets: Secrets) -> str:
    resources = declared.resources(plan, secrets)
    # Their digests change with every template, and the files of the nodes have the templates.
    resources[f"idr:deployment:Disclosure {plan.stack}"]["inputs"]["files"] = "(digests)"
    # One line per property: a difference then shows a change, not another line break. This dumper is the fast one.
    return yaml.dump(
        resources, Dumper=yaml.CSafeDumper, sort_keys=False, default_flow_style=None, width=10_000, allow_unicode=True
    )


def _bootstrap(node: Node, plan: Plan, secrets: Secrets) -> str:
    tool = (ROLES / "bootstrap" / "idr-apply").read_text()
    document = yaml.safe_load(user_data.bootstrap(node, plan, secrets))
    for file in document["write_files"]:
        if file["content"] == tool:
            file["content"] = "(cloudinit/bootstrap/idr-apply)\n"
    return "#cloud-config\n" + _yaml(document)


def _configuration(node: Node, plan: Plan, secrets: Secrets) -> str:
    ids = {volume.purpose: f"{VOLUME_ID}{number:02}" for number, volume in enumerate(node.volumes, 1)}
    bundle = json.loads(render.bundle(node, plan, secrets, ids, rendered.export_locations(plan)))
    about = {key: value for key, value in bundle.items() if key not in ("files", "digest")}
    known = _sources()
    parts = [_yaml(about)]
    for file in bundle["files"]:
        head = f"=== {file['path']} {file['mode']} {file['owner']}:{file['group']}"
        source = known.get(file["content"])
        parts.append(f"{head} = {source}\n" if source else f"{head}\n{file['content'].rstrip()}\n")
    return "".join(parts)


def _sources() -> dict[str, str]:
    """Return the content of files that reach a machine unchanged, with their names in the repository."""
    folders = (ROLES, stacks.ROOT / "idr")
    files = (file for folder in folders for file in sorted(folder.rglob("*")) if file.is_file())
    return {
        file.read_text(): str(file.relative_to(stacks.ROOT))
        for file in files
        if file.suffix not in (".j2", ".pyc") and file.stat().st_size
    }


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, BaseModel):
        return _plain(value.model_dump())
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, tuple | list | frozenset):
        return [_plain(inner) for inner in value]
    if isinstance(value, Enum):
        return value.value
    return value if value is None or isinstance(value, bool | int | str) else str(value)


def _yaml(data: Any) -> str:
    return yaml.safe_dump(data, sort_keys=False, width=120, allow_unicode=True)


def main() -> None:
    """Write every layout's files, and remove other files from its folder."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    for layout in LAYOUTS:
        folder = FOLDER / layout
        folder.mkdir(parents=True)
        for name, text in files(layout).items():
            (folder / name).write_text(text)


if __name__ == "__main__":
    main()
