"""`idr check`: table or JSON, and the exit status."""

import json
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from harness import stacks
from idr import stack_file
from idr.__main__ import app
from model.cloud_state import Quota
from tests.unit.model.test_capacity import cloud_with

ENOUGH = replace(cloud_with(), quotas={"instances": Quota(10, 5), "volumes": Quota(-1, 3)})
runner = CliRunner()


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Return the state of a stubbed cloud, which a test may change; its stack file is complete."""
    has: dict[str, Any] = {"state": ENOUGH}
    file = stack_file.StackFile("local", "Pulumi.local.yaml", stacks.settings("local"), {})
    monkeypatch.setattr(stack_file.StackFile, "missing", lambda _: [])
    monkeypatch.setattr("idr.commands.check.stack_file.read", lambda _: file)
    connection = SimpleNamespace(
        current_project=SimpleNamespace(name="idr", id="1111"), config=SimpleNamespace(get_region_name=lambda: "one")
    )
    monkeypatch.setattr("idr.commands.check.connect", lambda _: connection)
    monkeypatch.setattr("idr.commands.check.disagreements", lambda *_: has.get("differences", []))
    monkeypatch.setattr("idr.commands.check.cloud_state.read", lambda *_: has["state"])
    # Wide enough that no line of the output is broken.
    monkeypatch.setenv("COLUMNS", "200")
    return has


def test_a_cloud_that_suffices_is_exit_status_0(cloud: dict[str, Any]) -> None:
    done = runner.invoke(app, ["check", "-s", "local"])
    assert (done.exit_code, "The cloud has everything that the plan needs." in done.stdout) == (0, True), cloud
    # This detects the wrong project, before a first `up`.
    assert done.stdout.startswith("project idr (1111), region one\n")


def test_shortfalls_are_reported_together_and_end_with_1(cloud: dict[str, Any]) -> None:
    cloud["state"] = replace(ENOUGH, servers=(), quotas={"instances": Quota(4, 2)}, images=())
    done = runner.invoke(app, ["check", "-s", "local"])
    assert done.exit_code == 1
    assert "- image 'idr-debian-12' does not exist (available: none)" in done.stdout
    assert "- quota of instances: 5 more needed, 2 left of 4" in done.stdout
    assert "has everything" not in done.stdout


def test_what_is_not_checked_is_reported_and_is_no_failure(cloud: dict[str, Any]) -> None:
    cloud["state"] = replace(ENOUGH, images=(), unchecked=("server groups: not checked [403]",))
    done = runner.invoke(app, ["check", "-s", "local"])
    assert done.exit_code == 0
    assert "- server groups: not checked [403]" in done.stdout
    assert "no server is created from it now, but none could be replaced" in done.stdout
    assert "has everything that the plan needs, as far as it reports it." in done.stdout


def test_json_has_need_and_rest(cloud: dict[str, Any]) -> None:
    cloud["state"] = replace(ENOUGH, servers=ENOUGH.servers[:1], unchecked=("zones: not checked",))
    cloud["differences"] = ["server idr-local-bastion is unknown"]
    done = runner.invoke(app, ["check", "-s", "local", "--json"])
    report = json.loads(done.stdout)
    assert (done.exit_code, report["ok"]) == (1, False)
    assert report["needs"] == [
        {"quota": "instances", "more": 4, "free": 5, "limit": 10, "fits": True},
        {"quota": "volumes", "more": 0, "free": None, "limit": -1, "fits": True},
    ]
    assert (report["shortfalls"], report["differences"]) == ([], cloud["differences"])
    assert report["notChecked"] == ["zones: not checked"]
