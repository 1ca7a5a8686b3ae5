"""The example of a site's own role, on the stack `local`, and copies of it that tests change."""

import re
import shutil
from pathlib import Path
from typing import Any

import yaml

from harness import stacks
from harness.stacks import ROOT
from model.overrides import merge
from model.plan import Node, Plan
from model.planning import plan
from model.reading import Source, parse
from model.roles import SiteRole
from model.site_roles import read

EXAMPLE = ROOT / "examples" / "site-role"
SETTING = "examples/site-role/roles"
ROLE = "about"
VOLUME = {"name": "pages", "mount": "/srv/about", "required": False}


def status_descriptions() -> dict[str, str]:
    """Return role.yaml and files.yaml of the role `status`, as docs/site-roles.md has them."""
    page = (ROOT / "docs" / "site-roles.md").read_text()
    return dict(re.findall(r"^```yaml\n# site/status/(\S+)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL))


def example_roles() -> dict[str, SiteRole]:
    """Return the roles of the example."""
    return read(SETTING, ROOT)


def values() -> dict[str, Any]:
    """Return the settings of the stack `local` with those of the example."""
    return merge(stacks.values("local"), yaml.safe_load((EXAMPLE / "demo.yaml").read_text()))


def plan_of(given: dict[str, Any], folder: Path = ROOT) -> Plan:
    """Return the plan of a stack `local` whose file is in `folder`."""
    return plan(parse(given, Source("local", "Pulumi.local.yaml", folder=folder)), "local")


def example_plan() -> Plan:
    """Return the plan of the stack `local` with the example's role."""
    return plan_of(values())


def example_node(stack_plan: Plan) -> Node:
    """Return the node with the example's role."""
    return next(node for node in stack_plan.nodes if ROLE in node.roles)


def copied(folder: Path, *names: str) -> dict[str, Any]:
    """Copy the example's role into `folder`/site, once for each name; return settings that name the folder."""
    for name in names or (ROLE,):
        shutil.copytree(EXAMPLE / "roles" / ROLE, folder / "site" / name)
    return values() | {"siteRoles": "site/"}


def change(folder: Path, role: str = ROLE, **fields: Any) -> None:
    """Change fields of the role.yaml of a copy; those of `node` one by one. None removes a field."""
    file = folder / "site" / role / "role.yaml"
    described = yaml.safe_load(file.read_text())
    described["node"] |= fields.pop("node", {})
    described = {key: value for key, value in (described | fields).items() if value is not None}
    file.write_text(yaml.safe_dump(described))


def reduce(folder: Path, role: str, files: str = "{}\n", **fields: Any) -> None:
    """Leave of a copy what collides with no other: no services, locations and files but these."""
    described = {"inventoryGroup": None, "locations": None, "metrics": None, "services": None, "units": None}
    change(folder, role, **described | fields | {"node": {"firstHost": 31, "lastHost": 39} | fields.get("node", {})})
    there = folder / "site" / role
    shutil.rmtree(there / "files")
    (there / "files.yaml").write_text(files)
    (there / "scripts" / f"watch-{ROLE}-page").unlink()


def protect_page(folder: Path) -> None:
    """Let only the service of a copy read its page."""
    entries = folder / "site" / ROLE / "files.yaml"
    old, new = "index.html: {}", 'index.html: {mode: "0640", group: www-data}'
    assert old in entries.read_text()
    entries.write_text(entries.read_text().replace(old, new))
