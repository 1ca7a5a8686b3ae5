"""`idr plan`: what it finds in the folder of a site's own roles."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from harness import stacks
from idr.__main__ import app
from tests.site_roles import ROLE, copied

PAGE = "site/about/files/srv/about/index.html.j2"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Create a checkout with a stack file and a site's own role."""
    values = {f"idr:{key}": value for key, value in copied(tmp_path).items()}
    (tmp_path / "Pulumi.local.yaml").write_text(json.dumps({"config": values}))
    (tmp_path / "Pulumi.yaml").write_bytes((stacks.ROOT / "Pulumi.yaml").read_bytes())
    monkeypatch.setattr("idr.checkout.ROOT", tmp_path)
    return tmp_path


@pytest.mark.usefixtures("project")
def test_the_node_of_a_sites_own_role_is_shown() -> None:
    done = CliRunner().invoke(app, ["plan", "-s", "local"])
    assert (done.exit_code, done.stderr) == (0, "")
    assert f"demo1-{ROLE}" in done.stdout


@pytest.mark.parametrize("arguments", [[], ["--json"]])
def test_a_mistake_in_a_template_is_found_without_engine_and_secret(project: Path, arguments: list[str]) -> None:
    (project / PAGE).write_text("{{ hostname }}")
    done = CliRunner().invoke(app, ["plan", "-s", "local", *arguments])
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == f"error: {PAGE}: line 1: 'hostname' is undefined\n"
