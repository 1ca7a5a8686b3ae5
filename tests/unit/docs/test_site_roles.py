"""The page about a site's own roles: its blocks, from top to bottom, make a role that works like the example."""

import re
import subprocess
from pathlib import Path

import pytest

from harness import stacks
from harness.rendered import files
from harness.stacks import ROOT
from model.plan import Plan
from model.roles import FACTS
from model.secrets import secret_names
from tests import site_roles

PAGE = (ROOT / "docs" / "site-roles.md").read_text()
STEPS = PAGE.split("\n## 4. ")[0]


@pytest.fixture
def typed(tmp_path: Path) -> Plan:
    """Return the plan with the role that the first three steps write."""
    for block in re.findall(r"^```console\n(.*?)^```$", STEPS, re.MULTILINE | re.DOTALL):
        subprocess.run(["bash", "-euc", block], cwd=tmp_path, check=True)
    return site_roles.plan_of(site_roles.values() | {"siteRoles": "site/"}, tmp_path)


def test_the_page_makes_a_node_as_the_example_has_it(typed: Plan) -> None:
    node, example = site_roles.example_node(typed), site_roles.example_node(site_roles.example_plan())
    assert (node.address, node.listens, node.security_groups) == (
        example.address,
        example.listens,
        example.security_groups,
    )
    shown = files(node, typed, stacks.secrets_of("local"))
    assert "<h1>About demo.idr.internal</h1>" in shown["/srv/about/index.html"]
    assert "ssl_certificate /etc/about/server.crt;" in shown["/etc/about/nginx.conf"]
    assert "BEGIN CERTIFICATE" in shown["/etc/about/server.crt"]


def test_its_scripts_are_valid(typed: Plan) -> None:
    (role,) = typed.releases[0].site_roles()
    scripts = [str(script) for script in (role.folder / "scripts").iterdir()]
    command = ["shellcheck", "--exclude=SC1091", *scripts]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (len(scripts), done.returncode, done.stdout) == (3, 0, "")


def test_the_description_with_a_volume_and_a_password_is_valid(tmp_path: Path) -> None:
    given = site_roles.copied(tmp_path)
    site_roles.reduce(tmp_path, site_roles.ROLE)
    folder = (tmp_path / "site" / site_roles.ROLE).rename(tmp_path / "site" / "status")
    for name, text in site_roles.status_descriptions().items():
        (folder / name).write_text(text)
    printed = '{{ passwords["status/admin"] }}'
    for name, text in (("etc/status/settings.j2", printed), ("etc/systemd/system/status-page.service", "[Service]")):
        (folder / "files" / name).parent.mkdir(parents=True)
        (folder / "files" / name).write_text(text)
    nodes = given["releases"]["demo1"]["nodes"]
    del nodes[site_roles.ROLE]
    nodes["status"] = {"roles": ["status"], "flavor": "local.small", "volumes": {"history": {"sizeGib": 10}}}
    plan = site_roles.plan_of(given, tmp_path)
    (node,) = (node for node in plan.nodes if node.name == "demo1-status")
    assert [volume.mount for volume in node.volumes] == ["/srv/status"]
    assert 8100 in node.listens
    assert "password/demo1/status/admin" in secret_names(plan)
    assert len(files(node, plan, stacks.secrets_of("local"))["/etc/status/settings"]) > 20


def test_each_expression_for_templates_has_a_value(tmp_path: Path) -> None:
    given = site_roles.copied(tmp_path) | {"proxies": {"http": "http://proxy.example.org:3128"}}
    site_roles.change(tmp_path, passwords=["admin"])
    site_roles.protect_page(tmp_path)
    expressions = re.findall(r"`(\{\{ .+? \}\})`", PAGE.partition("## Values for templates")[2])
    page = tmp_path / "site" / site_roles.ROLE / "files" / "srv" / "about" / "index.html.j2"
    page.write_text("\n".join(expressions))
    plan = site_roles.plan_of(given, tmp_path)
    values = files(site_roles.example_node(plan), plan, stacks.secrets_of("local"))["/srv/about/index.html"].split()
    assert len(values) == len(expressions) > 5
    assert values[:2] == ["demo1-about", "10.130.1.61"]


def test_the_settings_that_it_types_are_those_of_the_example() -> None:
    for words in ("idr:siteRoles site/", "nodes.about.roles[0]' about", "nodes.about.flavor local.small"):
        assert words in PAGE
    assert site_roles.values()["releases"]["demo1"]["nodes"]["about"] == {"roles": ["about"], "flavor": "local.small"}


def test_the_addresses_that_it_says_are_free_are_so() -> None:
    named = re.search(r"The program leaves ((?:\d+ to\s+\d+(?:,| and|\.)\s)+)", PAGE)
    assert named
    ranges = [range(int(first), int(last) + 1) for first, last in re.findall(r"(\d+) to\s+(\d+)", named[1])]
    taken = {host for about in FACTS.values() for host in range(about.first_host, about.last_host + 1)}
    free = sorted({*range(10, 200)} - taken)
    assert free == sorted(host for block in ranges for host in block), "docs/site-roles.md: The program leaves ..."
