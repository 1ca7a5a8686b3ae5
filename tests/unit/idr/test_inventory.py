"""`idr inventory` from saved outputs: every format, and the messages when it fails."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from harness import stacks
from idr.__main__ import app
from model.outputs import contract
from model.outputs.topology import Known

runner = CliRunner()
OUTPUTS = contract.outputs(
    stacks.plan_of("local"), stacks.secrets_of("local"), Known(public="192.0.2.10", bastion="192.0.2.11")
)


def idr(*arguments: str, given: Any = OUTPUTS) -> Any:
    return runner.invoke(app, ["inventory", "--from", "-", *arguments], input=json.dumps(given))


def test_list_is_what_the_stack_exports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Where `make up` has run, the inventory would name its key.
    monkeypatch.setattr("idr.checkout.folder", lambda: tmp_path)
    assert json.loads(idr("--list").stdout) == OUTPUTS["inventory"]


def test_host_prints_the_variables_of_one_host() -> None:
    assert json.loads(idr("--host", "demo1-redis").stdout)["ansible_host"] == "10.130.1.30"


def test_an_unknown_host_is_an_error_that_names_those_there_are() -> None:
    done = idr("--host", "redis")
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("error: no such host: redis; there are: bastion, demo1-database")


@pytest.mark.parametrize(
    ("form", "line"),
    [
        ("ini", "[demo1-database-hosts]"),
        ("ssh", "Host demo1-redis"),
        ("known-hosts", "bastion ssh-ed25519"),
        ("hosts", "10.130.1.30 demo1-redis redis"),
        ("json", '"stack": "local"'),
        ("prometheus", '"10.130.1.30:9100"'),
    ],
)
def test_every_format_can_be_written_to_a_file(tmp_path: Path, form: str, line: str) -> None:
    file = tmp_path / "made"
    assert idr("--format", form, "--output", str(file)).exit_code == 0
    assert line in file.read_text()


def test_prometheus_gets_a_list_of_target_groups() -> None:
    groups = yaml.safe_load(idr("--format", "prometheus").stdout)
    assert all(set(group) == {"targets", "labels"} for group in groups)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "outputs with no contract number"),
        ({"contract": 2}, "outputs with contract 2, this version reads contract 1"),
        ({"contract": 1}, "not as docs/outputs.schema.json says: topology: "),
        ({"contract": 1, "topology": {**OUTPUTS["topology"], "nodes": [{}]}}, "topology.nodes.0.name: Field required"),
        ([], "not an object"),
    ],
)
def test_outputs_that_cannot_be_used_are_named_in_one_line(given: Any, message: str) -> None:
    done = idr(given=given)
    assert done.exit_code == 1
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_file_that_is_missing_or_no_json_is_named(tmp_path: Path) -> None:
    missing = runner.invoke(app, ["inventory", "--from", str(tmp_path / "none")])
    assert (missing.exit_code, "none: No such file or directory" in missing.stderr) == (1, True)
    broken = tmp_path / "broken.json"
    broken.write_text("{")
    assert "broken.json: not JSON (line 1" in runner.invoke(app, ["inventory", "--from", str(broken)]).stderr


def test_without_stack_and_file_it_is_wrong_usage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PULUMI_STACK", raising=False)
    assert runner.invoke(app, ["inventory"]).exit_code == 2
    assert idr("--list", "--format", "ini").exit_code == 2
