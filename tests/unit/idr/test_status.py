"""`idr status`: what counts as a problem, and the exit status."""

import json
import os
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from idr import stack_file
from idr.__main__ import app
from idr.status import nodes
from idr.status.command import digests
from model.outputs import contract
from model.outputs.topology import Known, Topology
from model.reading import Source, parse
from tests import stacks, stubs

runner = CliRunner()
OUTPUTS = contract.outputs(
    stacks.plan_of("local"), stacks.secrets_of("local"), Known(public="192.0.2.10", bastion="192.0.2.11")
)
MADE = Topology.model_validate(OUTPUTS["topology"])
WELL: dict[str, Any] = {
    "bootstrap": "done",
    "applied": {"digest": "abc", "healthy": {"common": True, "redis": True}},
    "disks": [{"mount": "/", "size": 100, "free": 50, "percent": 50}],
    "versions": {"system": "Debian GNU/Linux 12", "redis-server": "7.0"},
}


def answering(monkeypatch: pytest.MonkeyPatch, answer: dict[str, Any] | str, expected: str | None = "abc") -> Any:
    """What is told of the nodes when each of them answers this."""
    said = answer if isinstance(answer, str) else nodes.Answer.model_validate(answer)
    monkeypatch.setattr(nodes, "_ask", lambda *_: said)
    by_node = {node.name: expected for node in MADE.nodes if expected}
    return nodes.ask_all(MADE, Path("config"), by_node, lambda: None)


def test_a_node_that_is_well_has_no_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    found = answering(monkeypatch, WELL)
    assert [status.node for status in found] == [node.name for node in MADE.nodes]
    assert all(status.problems == () and status.configuration == "current" for status in found)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"bootstrap": "error"}, "bootstrap is 'error', not done"),
        ({"applied": {"digest": "old", "healthy": {}}}, "its configuration differs"),
        ({"applied": {}}, "no configuration was applied"),
        ({"applied": None}, "idr-apply --status gives no answer"),
        ({"applied": {"digest": "abc", "slow": ["redis"]}}, "role redis is slow"),
        ({"applied": {"digest": "abc", "healthy": {"redis": False}}}, "role redis is not healthy"),
        ({"disks": [{"mount": "/data", "size": 100, "free": 5, "percent": 95}]}, "/data is 95 % full"),
    ],
)
def test_each_problem_is_named(monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], problem: str) -> None:
    status = answering(monkeypatch, {**WELL, **change})[0]
    assert len(status.problems) == 1
    assert status.problems[0].startswith(problem)


def test_a_node_that_cannot_be_reached_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    found = answering(monkeypatch, "Connection refused")
    bastion = next(status for status in found if status.node == MADE.bastion.name)
    assert (bastion.reachable, bastion.problems) == (False, ("not reachable: Connection refused",))
    others = [status for status in found if status is not bastion]
    assert {status.problems for status in others} == {("not reachable: the bastion does not answer",)}


def test_without_settings_configurations_are_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    assert answering(monkeypatch, WELL, expected=None)[0].configuration == "not compared"


@pytest.mark.parametrize(("answer", "exit_code"), [(WELL, 0), ("no route", 1)])
def test_the_exit_status_says_whether_all_are_well(
    monkeypatch: pytest.MonkeyPatch, answer: Any, exit_code: int
) -> None:
    answering(monkeypatch, answer)
    done = runner.invoke(app, ["status", "--from", "-", "--json"], input=json.dumps(OUTPUTS))
    assert done.exit_code == exit_code
    assert json.loads(done.stdout)["ok"] is (exit_code == 0)
    table = runner.invoke(app, ["status", "--from", "-"], input=json.dumps(OUTPUTS))
    assert ("All 5 nodes are well." in table.stdout) is (exit_code == 0)


def test_a_frozen_release_is_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    values = stacks.values("local")
    values["releases"]["demo1"]["frozen"] = True
    file = stack_file.StackFile("local", "", parse(values, Source("local", "Pulumi.local.yaml")), {})
    monkeypatch.setattr(stack_file, "read", lambda *_, **__: file)
    monkeypatch.setattr(stack_file.StackFile, "secrets", lambda _: stacks.secrets_of("local"))
    assert list(digests("local", MADE)) == ["bastion"]


def test_the_probe_answers_on_a_machine_that_is_no_node() -> None:
    done = subprocess.run(
        [sys.executable, "-"], input=nodes.PROBE.read_text(), capture_output=True, text=True, check=True
    )
    answer = nodes.Answer.model_validate_json(done.stdout)
    assert answer.disks[0].mount == "/"
    assert answer.applied is None


def test_the_probe_says_bootstrap_and_versions_as_the_machine_has_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stubs.put(tmp_path, monkeypatch, "cloud-init").answers((0, json.dumps({"status": "done"}), ""))
    runpy.run_path(str(nodes.PROBE), run_name="__main__")
    answer = nodes.Answer.model_validate_json(capsys.readouterr().out)
    assert answer.bootstrap == "done"
    assert answer.versions["kernel"] == os.uname().release
    assert 0 <= answer.disks[0].percent <= 100
