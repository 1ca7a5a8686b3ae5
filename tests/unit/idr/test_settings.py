"""`idr settings`: the merged settings and where each value came from."""

import json
import shutil
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from harness import stacks
from idr.__main__ import app
from model.field_types import SEALED

runner = CliRunner()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write a project whose stack `uod` has a file of overrides and an encrypted secret."""
    document = yaml.safe_load(stacks.STACK_FILES["uod"].read_text())
    document["config"] |= {"idr:overrides": "night.yaml", "idr:stackSecret": {"secure": "v1:sealed"}}
    (tmp_path / "Pulumi.uod.yaml").write_text(yaml.safe_dump(document))
    (tmp_path / "night.yaml").write_text("releases: {prod130: {nodes: {omeroreadonly: {count: 6}}}}")
    shutil.copy(stacks.ROOT / "Pulumi.yaml", tmp_path)
    monkeypatch.setattr("idr.checkout.folder", lambda: tmp_path)
    return tmp_path


def test_an_override_is_shown_with_its_file_and_the_rest_with_theirs(folder: Path) -> None:
    assert folder.is_dir()
    rows = json.loads(runner.invoke(app, ["settings", "--stack", "uod", "--json"]).output)
    shown = {row["key"][-1]: (row["value"], row["file"]) for row in rows if "omeroreadonly" in row["key"]}
    assert shown["count"] == (6, "night.yaml")
    assert shown["flavor"] == ("m1.large", "Pulumi.uod.yaml")


def test_what_is_encrypted_is_not_shown(folder: Path) -> None:
    assert folder.is_dir()
    done = runner.invoke(app, ["settings", "--stack", "uod"])
    assert done.exit_code == 0
    assert "v1:sealed" not in done.output
    assert SEALED in done.output


def test_a_mistake_is_one_line_and_nothing_shown(folder: Path) -> None:
    (folder / "night.yaml").write_text("colour: blue")
    done = runner.invoke(app, ["settings", "--stack", "uod"])
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == "error: night.yaml: idr:colour: is not a setting; docs/settings.md has all\n"
