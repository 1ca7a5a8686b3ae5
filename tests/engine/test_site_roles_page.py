"""The commands of the page about a site's own roles, up to the update, with the real engine and no cloud."""

import re
from pathlib import Path

import pytest

from harness.project import Project, copy_program
from harness.stacks import ROOT

pytestmark = pytest.mark.engine

BLOCKS = re.findall(r"^```console\n(.*?)^```$", (ROOT / "docs" / "site-roles.md").read_text(), re.MULTILINE | re.DOTALL)


def test_a_role_of_a_sites_own_needs_no_change_of_the_program(tmp_path: Path) -> None:
    project = Project(copy_program(tmp_path))
    assert project.pulumi("stack", "init", "local").returncode == 0
    *steps, update = BLOCKS
    assert update.startswith("pulumi up")
    for block in steps:
        done = project.run("bash", "-euc", block)
        assert done.returncode == 0, block + done.stdout + done.stderr
    assert "demo1-about" in done.stdout
    shown = project.preview("local")["steps"]
    names = {(step["newState"]["type"].rsplit(":", 1)[-1], step["urn"].rsplit("::", 1)[-1]) for step in shown}
    assert {("Instance", "demo1-about"), ("SecGroup", "demo1-about"), ("Command", "demo1-about")} <= names
    (disclosed,) = (step["newState"]["inputs"] for step in shown if "Disclosure" in step["urn"])
    assert {"site/about/role.yaml", "site/about/scripts/health"} <= disclosed["files"].keys()

    page = project.folder / "site" / "about" / "files" / "srv" / "about" / "index.html.j2"
    page.write_text("{{ plan.hostname }}")
    done = project.pulumi("preview", "--stack", "local")
    mistake = "index.html.j2: line 1: 'model.plan.Plan object' has no attribute 'hostname'"
    assert f"error: site/about/files/srv/about/{mistake}" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr

    described = project.folder / "site" / "about" / "role.yaml"
    described.write_text(described.read_text().replace("path: /about/", "path: /webclient/"))
    message = "site/about/role.yaml: locations.0.path: /webclient/ would hide /webclient, which is the program's own"
    done = project.run("bin/idr", "plan", "-s", "local")
    assert (done.returncode, done.stderr.strip()) == (1, f"error: {message}")
