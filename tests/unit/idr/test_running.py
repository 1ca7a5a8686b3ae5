"""Find out whether an update of a stack is running, without taking the state's lock."""

import json
import os
import socket
from pathlib import Path
from typing import Any

import pytest

from idr import running
from idr.state import State
from tests import stubs
from tests.stubs import Stub

NOBODY = 2**22 + 1
"""A process id that Linux never gives."""


@pytest.fixture
def pulumi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stub:
    """Put a stub of the engine on PATH, whose state is a folder."""
    stub = stubs.put(tmp_path, monkeypatch, "pulumi")
    stub.answers((0, json.dumps({"url": f"file://{tmp_path}/state?metadata=skip"}), ""))
    return stub


def lock(folder: Path, stack: str = "mine", **changes: Any) -> None:
    owner = {"pid": os.getpid(), "username": "anna", "hostname": "elsewhere", "timestamp": "2026-01-15T09:12:44Z"}
    file = folder / "state" / ".pulumi" / "locks" / "organization" / "idr" / stack / "1.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({**owner, **changes}))


def test_nothing_is_reported_of_a_stack_at_rest(pulumi: Stub) -> None:
    assert running.of("mine", State(())) is None
    assert [call.arguments[-2:] for call in pulumi.calls] == [["whoami", "--json"]]


@pytest.mark.usefixtures("pulumi")
def test_who_runs_the_update_is_reported_where_the_lock_can_be_read(tmp_path: Path) -> None:
    lock(tmp_path)
    text = running.of("mine", State(()))
    assert text is not None
    assert "is running: anna@elsewhere (process" in text
    assert running.of("other", State(())) is None


@pytest.mark.usefixtures("pulumi")
def test_a_lock_of_an_update_that_ended_on_this_machine_is_none(tmp_path: Path) -> None:
    lock(tmp_path, hostname=socket.gethostname(), pid=NOBODY)
    assert running.of("mine", State(())) is None


@pytest.mark.usefixtures("pulumi")
@pytest.mark.parametrize("content", ["", "{}", "[]", "half {"])
def test_a_lock_that_cannot_be_read_is_passed_over(tmp_path: Path, content: str) -> None:
    lock(tmp_path)
    next(tmp_path.glob("state/**/1.json")).write_text(content)
    assert running.of("mine", State(())) is None


def test_in_a_shared_state_operations_that_have_not_ended_tell(pulumi: Stub) -> None:
    pulumi.answers((0, json.dumps({"url": "postgres://state.example.org/pulumi"}), ""))
    text = running.of("mine", State((), pending=("urn:1", "urn:2")))
    assert text is not None
    assert "is running, or was cut off (2 operations have not ended)" in text
    assert "bin/idr recover --stack mine" in text


def test_without_a_state_there_is_no_update(pulumi: Stub) -> None:
    pulumi.answers((255, "", "error: no stack named 'mine' found"))
    assert running.notice("mine") is None
