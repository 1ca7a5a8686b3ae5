"""`idr check`: table or JSON, and the exit status."""

import json
from dataclasses import replace
from typing import Any

import pytest
from typer.testing import CliRunner

from idr import stack_file
from idr.__main__ import app
from model.capacity import Offer, Quota
from tests import stacks

PLAN = stacks.plan_of("local")
ENOUGH = Offer(
    flavors={node.flavor_name: node.flavor for node in PLAN.nodes},
    there={"image": frozenset({"idr-debian-12"}), "external network": frozenset({"public"})},
    quotas={"instances": Quota(10, 5), "volumes": Quota(-1, 3)},
)
runner = CliRunner()


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A cloud that has what is put in here, and a stack file that is complete."""
    has: dict[str, Any] = {"offer": ENOUGH}
    file = stack_file.StackFile("local", "Pulumi.local.yaml", stacks.settings("local"), {})
    monkeypatch.setattr(stack_file.StackFile, "missing", lambda _: [])
    monkeypatch.setattr("idr.check.stack_file.read", lambda _: file)
    monkeypatch.setattr("idr.check.connect", lambda _: None)
    monkeypatch.setattr("idr.check.disagreements", lambda *_: has.get("differences", []))
    monkeypatch.setattr("idr.check.offer", lambda *_: has["offer"])
    return has


def test_a_cloud_that_suffices_is_exit_status_0(cloud: dict[str, Any]) -> None:
    done = runner.invoke(app, ["check", "-s", "local"])
    assert (done.exit_code, "has everything" in done.stdout) == (0, True), cloud


def test_shortfalls_are_told_together_and_end_with_1(cloud: dict[str, Any]) -> None:
    cloud["offer"] = replace(ENOUGH, quotas={"instances": Quota(4, 2)}, there={"image": frozenset()})
    done = runner.invoke(app, ["check", "-s", "local"])
    assert done.exit_code == 1
    assert "lacks image 'idr-debian-12' is not there" in done.stdout
    assert "lacks quota of instances: 5 more needed, 2 left of 4" in done.stdout


def test_json_has_need_and_rest(cloud: dict[str, Any]) -> None:
    cloud["differences"] = ["server idr-local-bastion is unknown"]
    done = runner.invoke(app, ["check", "-s", "local", "--json"])
    told = json.loads(done.stdout)
    assert (done.exit_code, told["ok"]) == (1, False)
    assert told["needs"] == [
        {"quota": "instances", "more": 5, "free": 5, "limit": 10, "fits": True},
        {"quota": "volumes", "more": 1, "free": None, "limit": -1, "fits": True},
    ]
    assert told["differences"] == cloud["differences"]
