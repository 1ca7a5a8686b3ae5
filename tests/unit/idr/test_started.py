"""`idr.started`: an `up` that has started servers waits until their services answer."""

from pathlib import Path

import pytest

from harness import stacks
from idr import started
from model.outputs import contract
from model.outputs.topology import Known, Topology
from tests import stubs

OUTPUTS = contract.outputs(
    stacks.plan_of("local"), stacks.secrets_of("local"), Known(public="192.0.2.10", bastion="192.0.2.11")
)
TOPOLOGY = Topology.model_validate(OUTPUTS["topology"])
NODES = ["demo1-database", "demo1-redis"]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(started, "PAUSE_SECONDS", 0.01)


def test_it_asks_each_node_until_its_roles_are_healthy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The first answers are those of a machine that boots, and of a role that is not healthy yet.
    ssh = stubs.put(tmp_path, monkeypatch, "ssh")
    ssh.answers((255, "", ""), (0, "", ""), (1, "", ""), (0, "", ""))
    assert started.wait(TOPOLOGY, NODES, "a key") == []
    asked = [call.arguments for call in ssh.calls]
    assert [next(one for one in NODES if one in words) for words in asked] == [NODES[0], NODES[1], NODES[0], NODES[0]]
    assert all(tuple(words[-len(started.STATUS) :]) == started.STATUS for words in asked)
    # Only the deploy key opens a node without a user's ssh agent, and it is not kept.
    assert not any(Path(words[1]).exists() for words in asked)


def test_what_is_not_healthy_in_time_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ssh = stubs.put(tmp_path, monkeypatch, "ssh")
    ssh.answers(*[(0, "", ""), (1, "", "")], *[(1, "", "")] * 500)
    assert started.wait(TOPOLOGY, NODES, "a key", seconds=0.1) == ["demo1-redis"]


def test_a_machine_that_never_ends_its_answer_is_not_healthy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(started, "ANSWER_SECONDS", 0.2)
    ssh = tmp_path / "ssh"
    ssh.write_text("#!/bin/sh\nsleep 60\n")
    ssh.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert started.wait(TOPOLOGY, NODES[:1], "a key", seconds=0.1) == NODES[:1]
