"""The pre-warm's files on the management node."""

import ast
import json
import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import yaml

from cloudinit import render
from harness import stacks
from harness.stacks import ROOT
from model.roles import Role

LIBRARY = "/usr/local/lib/idr-prewarm/prewarm"
MODULES = tuple((ROOT / "idr" / "prewarm").glob("*.py"))
PLAN = stacks.plan_of("ebi")
RELEASE = PLAN.release(PLAN.settings.live)


def bundle() -> dict[str, str]:
    node = RELEASE.with_role(Role.MANAGEMENT)[0]
    text = render.bundle(node, PLAN, stacks.secrets_of("ebi"), {volume.purpose: "0" * 20 for volume in node.volumes})
    return {entry["path"]: entry["content"] for entry in json.loads(text)["files"]}


def test_every_module_of_the_prewarm_is_there() -> None:
    sources = {file.name: file.read_text() for file in MODULES}
    there = {PurePosixPath(path).name: text for path, text in bundle().items() if path.startswith(LIBRARY)}
    assert there == sources


def imported(file: Path) -> Iterator[str]:
    """Return the modules that a file imports; those beside it begin with a dot."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names = [node.module] if node.module else [alias.name for alias in node.names]
            yield from ("." * node.level + name for name in names)


def test_its_modules_import_each_other_and_packages_of_the_distribution() -> None:
    role = yaml.safe_load((ROOT / "cloudinit" / "management" / "role.yaml").read_text())
    names = {name for file in MODULES for name in imported(file)}
    beside = {f".{file.stem}" for file in MODULES}
    assert ".client" in names
    packages = {name.partition(".")[0] for name in names - beside} - sys.stdlib_module_names
    # httpx uses h2, which no module of ours imports.
    assert {f"python3-{name}" for name in packages | {"h2"}} == set(role["packages"])


def test_it_asks_the_proxy_of_its_own_release_by_the_public_name() -> None:
    settings = dict(line.split("=", 1) for line in bundle()["/etc/idr/prewarm.env"].splitlines() if "=" in line)
    assert settings == {
        "IDR_PREWARM_URL": f"https://{RELEASE.with_role(Role.PROXY)[0].address}",
        "IDR_PREWARM_HOST": PLAN.host_name,
        "IDR_PREWARM_CA_FILE": "/etc/idr/ca.crt",
    }
