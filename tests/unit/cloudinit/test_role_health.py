"""`idr-heal` reports to Prometheus which roles are healthy; a test that hangs delays no other."""

import os
import signal
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.unit.cloudinit.healed_machine import Machine, program

__all__ = ["program"]

SECONDS = 10
MOUNT_AWAY = "echo '/uod/idr: nfs:/idr does not answer'; echo more; exit 1"
OUT_OF_REACH = "setsid sh -c 'echo $$ > {pid}; exec sleep 60' > /dev/null 2>&1"
"""Like `timeout`, the hanging process is in its own process group, which no signal to the test's group ends."""


@pytest.fixture
def machine(program: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    monkeypatch.setattr(program.role_health, "EVERY_SECONDS", 0)
    return Machine(tmp_path, "common", "nfs")


def look(healer: Any, *expected: str) -> str:
    """Run the tests until the metrics have all expected lines; return the metrics."""
    end = time.monotonic() + SECONDS
    while True:
        healer.look()
        text: str = healer.metrics()
        if all(f"{line}\n" in text for line in expected):
            return text
        assert time.monotonic() < end, text
        time.sleep(0.05)


def healthy(role: str, well: int) -> str:
    return f'idr_role_healthy{{role="{role}"}} {well}'


def test_each_role_with_a_health_test_is_asked_also_those_without_services(
    program: ModuleType, machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    machine.script("common", "health", "exit 0")
    machine.script("nfs", "health", MOUNT_AWAY)
    machine.script("redis", "health", "exit 1")
    began = int(time.time())
    text = look(program.Healer(), healthy("common", 1), healthy("nfs", 0))
    assert "redis" not in text, "it is not applied"
    last = text.splitlines()[-1].split()
    assert last[0] == "idr_role_last_look_timestamp_seconds"
    assert began <= int(last[1]) <= time.time()
    assert capsys.readouterr().out == "role nfs is not healthy: /uod/idr: nfs:/idr does not answer\n"
    assert machine.asked() == [], "nothing is restarted for it"


def test_a_change_is_logged_once(program: ModuleType, machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    healer, count = program.Healer(), machine.folder / "count"
    machine.script("nfs", "health", f"echo x >> {count}; exit 3")
    look(healer, healthy("nfs", 0))
    while len(count.read_text()) < 6:
        look(healer)
    machine.script("nfs", "health", "exit 0")
    look(healer, healthy("nfs", 1))
    reason = "its health test ends with exit status 3"
    assert capsys.readouterr().out == f"role nfs is not healthy: {reason}\nrole nfs is healthy again\n"


def test_roles_are_not_asked_before_their_time(
    program: ModuleType, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(program.role_health, "EVERY_SECONDS", 120)
    healer, count = program.Healer(), machine.folder / "count"
    machine.script("nfs", "health", f"echo x >> {count}")
    look(healer, healthy("nfs", 1))
    for _ in range(5):
        look(healer)
        time.sleep(0.1)
    assert count.read_text() == "x\n"


def test_a_test_that_hangs_holds_up_no_other_and_is_not_begun_again(
    program: ModuleType, machine: Machine, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(program.role_health, "LONGEST_SECONDS", 0.3)
    pid, count = machine.folder / "pid", machine.folder / "count"
    machine.script("common", "health", "exit 0")
    machine.script("nfs", "health", f"echo x >> {count}; {OUT_OF_REACH.format(pid=pid)}")
    healer = program.Healer()
    began = time.monotonic()
    healer.look()
    assert time.monotonic() - began < 5, "it waits for a test"
    look(healer, healthy("common", 1), healthy("nfs", 0))
    assert "role nfs is not healthy: no answer within 0.3 s" in capsys.readouterr().out
    for _ in range(10):
        look(healer)
        time.sleep(0.05)
    assert count.read_text() == "x\n", "a second test hangs beside the first"
    machine.script("nfs", "health", "exit 0")
    os.kill(int(pid.read_text()), signal.SIGKILL)
    look(healer, healthy("nfs", 1))


def test_a_test_without_an_end_is_ended_and_begun_again(
    program: ModuleType, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(program.role_health, "LONGEST_SECONDS", 0.3)
    healer = program.Healer()
    machine.script("nfs", "health", "exec sleep 60")
    look(healer, healthy("nfs", 0))
    machine.script("nfs", "health", "exit 0")
    look(healer, healthy("nfs", 1))


def test_what_is_seen_while_idr_apply_runs_does_not_count(
    program: ModuleType, machine: Machine, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(program.role_health, "EVERY_SECONDS", 120)
    healer, begun = program.Healer(), machine.folder / "begun"
    machine.script("nfs", "health", "exit 0")
    look(healer, healthy("nfs", 1))
    healer.health[program.LIBRARY / "nfs" / "health"].asked = float("-inf")
    machine.script("nfs", "health", f"touch {begun}; sleep 0.3; exit 1")
    while not begun.exists():
        look(healer)
    healer.pause()
    machine.script("nfs", "health", "exit 0")
    time.sleep(0.5)
    text = look(healer, healthy("nfs", 1))
    assert "idr_role_last_look" in text, "what was known before is still told"
    assert capsys.readouterr().out == ""


def test_a_role_that_is_no_longer_applied_has_no_metric(program: ModuleType, machine: Machine) -> None:
    healer = program.Healer()
    machine.script("nfs", "health", "exit 1")
    look(healer, healthy("nfs", 0))
    (machine.folder / "applied.json").write_text('{"roles": ["common"]}')
    healer.look()
    assert "nfs" not in healer.metrics()
