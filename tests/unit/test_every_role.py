"""Every role, of the program and of a site, is complete and consistent, and renders."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from cloudinit import render
from harness import stacks
from harness.stacks import ROOT
from model import site_files
from model.plan import Plan
from model.role_description import FOLDER, RoleDescription
from model.roles import DESCRIPTIONS
from tests import site_roles

SITE = site_roles.example_roles()
ROLES: dict[str, tuple[Path, RoleDescription]] = {
    **{name: (FOLDER / name, about) for name, about in DESCRIPTIONS.items()},
    **{name: (role.folder, role.description) for name, role in SITE.items()},
}
every = pytest.mark.parametrize("role", ROLES)
STACKS = {name: stacks.plan_of(name) for name in (*stacks.STACK_FILES, "institute")} | {
    "with a site's role": site_roles.example_plan()
}
STARTED_BY_TIMER = {"idr-prewarm", "idr-import"}
"""Services that end, so nothing checks whether they answer."""


def sources() -> dict[Path, str]:
    """Return each file or template that a role's files.yaml names, and a role that has it."""
    return {
        source: name
        for name, (folder, _) in ROLES.items()
        for path, entry in site_files.read(folder / site_files.NAME).items()
        if (source := site_files.source_of(folder, path, entry))
    }


@every
def test_each_file_has_its_source(role: str) -> None:
    folder, _ = ROLES[role]
    entries = site_files.read(folder / site_files.NAME)
    # The pre-warm's modules are those of the command (docs/architecture.md).
    inside = {path: entry for path, entry in entries.items() if not (entry.source or "").startswith("../../idr/")}
    assert [path for path, entry in inside.items() if site_files.source_of(folder, path, entry) is None] == []


def test_each_file_is_used() -> None:
    there = {file for folder, _ in ROLES.values() for file in (folder / "files").rglob("*") if file.is_file()}
    assert sorted(there - sources().keys()) == []


@every
def test_a_role_that_a_stack_file_names_shows_how_it_is(role: str) -> None:
    folder, about = ROLES[role]
    services = [service for service in about.services if service.restart_on is not None]
    tested = (folder / "scripts" / "health").is_file() or {s.unit for s in services} <= STARTED_BY_TIMER
    assert not services or tested, f"{folder}/scripts/health is missing"


@every
def test_each_service_is_watched(role: str) -> None:
    folder, about = ROLES[role]
    for service in about.services:
        unit = service.unit.partition("@")[0] + ("@" if "@" in service.unit else "")
        # The kernel's NFS server, a path unit and a target have no process.
        without = {*STARTED_BY_TIMER, "nfs-server", "idr-import.path", "idr-local-storage.target"}
        watch = folder / "scripts" / f"watch-{unit}"
        assert watch.is_file() or unit in without, f"{watch} is missing"


@every
def test_what_restarts_a_service_is_a_file_of_some_role(role: str) -> None:
    """A path that no bundle has would restart nothing."""
    _, about = ROLES[role]
    paths = [path for folder, _ in ROLES.values() for path in site_files.read(folder / site_files.NAME)]
    # In the guest image of the demo, or of Debian.
    beside = ("/etc/systemd/system/nginx", "/etc/idr/ca")
    for service in about.services:
        for prefix in (*(service.restart_on or ()), *service.reload_on):
            assert prefix.startswith(beside) or any(path.startswith(prefix) for path in paths), prefix


@every
def test_its_scripts_are_programs(role: str) -> None:
    scripts = sorted((ROLES[role][0] / "scripts").iterdir())
    assert [script for script in scripts if not re.match(r"#!/(bin/bash|usr/bin/python3)\n", script.read_text())] == []


@pytest.mark.parametrize("role", SITE)
def test_the_scripts_of_a_sites_role_are_valid(role: str) -> None:
    """`make check` checks those of the program, all at once."""
    scripts = (str(script.relative_to(ROOT)) for script in (SITE[role].folder / "scripts").iterdir())
    command = ["shellcheck", *scripts, "cloudinit/common/scripts/folders"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("stack", STACKS)
def test_every_file_of_a_node_renders_once(stack: str) -> None:
    plan: Plan = STACKS[stack]
    for node in plan.nodes:
        ids = {volume.purpose: "0" * 36 for volume in node.volumes}
        bundle = json.loads(render.bundle(node, plan, stacks.secrets_of(plan.stack), ids))
        for entry in bundle["files"]:
            assert re.fullmatch("0[0-7]{3}", entry["mode"]), entry["path"]
        paths = [entry["path"] for entry in bundle["files"]]
        assert sorted(set(paths)) == sorted(paths)
