"""`idr drift`: what a refresh's preview says, as a list and an exit status."""

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from idr.__main__ import app

runner = CliRunner()
SERVER = "urn:pulumi:ebi::idr::idr:compute:Node$openstack:compute/instance:Instance::prod130-redis"
RULE = "urn:pulumi:ebi::idr::idr:firewall:Firewall$openstack:networking/secGroupRule:SecGroupRule::bastion-22"


def told(monkeypatch: pytest.MonkeyPatch, *steps: dict[str, Any]) -> Any:
    monkeypatch.setattr("idr.engine.run", lambda *_: json.dumps({"steps": steps, "changeSummary": {}}))
    return runner.invoke(app, ["drift", "-s", "ebi", "--json"])


def step(urn: str, before: Any, now: Any, op: str = "refresh") -> dict[str, Any]:
    return {"op": op, "urn": urn, "oldState": {"outputs": before}, "newState": now and {"outputs": now}}


def test_a_cloud_as_it_was_left_is_exit_status_0(monkeypatch: pytest.MonkeyPatch) -> None:
    done = told(monkeypatch, step(SERVER, {"powerState": "active"}, {"powerState": "active"}))
    assert (done.exit_code, json.loads(done.stdout)) == (0, {"drift": False, "resources": []})


def test_what_differs_is_named_with_its_properties(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = (
        step(SERVER, {"powerState": "active", "name": "a"}, {"powerState": "shutoff", "name": "a"}),
        step(RULE, {"port": 22}, None),
    )
    done = told(monkeypatch, *steps)
    assert done.exit_code == 1
    assert json.loads(done.stdout)["resources"] == [
        {"name": "bastion-22", "type": "openstack:networking/secGroupRule:SecGroupRule", "change": "deleted",
         "properties": []},
        {"name": "prod130-redis", "type": "openstack:compute/instance:Instance", "change": "changed",
         "properties": ["powerState"]},
    ]  # one resource a line or two  # fmt: skip


def test_for_people_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    told(monkeypatch, step(RULE, {"port": 22}, None))
    done = runner.invoke(app, ["drift", "-s", "ebi"])
    assert "bastion-22" in done.stdout
    assert "pulumi up --refresh" in done.stdout
