"""`idr-heal` restarts a unit whose check keeps failing, with growing pauses, and leaves all others alone."""

import socket
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import pytest

from harness.stacks import ROOT
from tests.unit.cloudinit.healed_machine import Machine, program

__all__ = ["program"]


def rounds(program: ModuleType, number: int) -> None:
    healer = program.Healer()
    for _ in range(number):
        healer.round()


def test_a_unit_that_fails_in_a_row_is_restarted(
    program: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    machine = Machine(tmp_path, "redis", "web")
    machine.check("redis", "redis-server", "echo some output; echo Redis does not answer; exit 1")
    machine.check("web", "omero-web", "exit 0")
    rounds(program, program.FAILURES - 1)
    assert machine.asked() == []
    rounds(program, program.FAILURES)
    assert machine.asked() == ["reset-failed redis-server", "restart --no-block redis-server"]
    assert capsys.readouterr().out.startswith("redis-server: Redis does not answer; restarting it (1 since")


def test_one_success_between_failures_restarts_nothing(program: ModuleType, tmp_path: Path) -> None:
    machine = Machine(tmp_path, "redis")
    turns = tmp_path / "turns"
    machine.check("redis", "redis-server", f"echo x >> {turns}; [ $(wc -l < {turns}) -eq 3 ]")
    rounds(program, 5)
    assert machine.asked() == []


@pytest.mark.parametrize("state", ["inactive", "activating", "deactivating", "reloading"])
def test_a_unit_that_starts_or_was_stopped_on_purpose_is_left_alone(
    program: ModuleType, tmp_path: Path, state: str
) -> None:
    machine = Machine(tmp_path, "redis")
    machine.check("redis", "redis-server", "exit 1")
    machine.state(state)
    rounds(program, program.FAILURES)
    assert machine.asked() == []


def test_all_instances_of_a_template_are_meant(program: ModuleType, tmp_path: Path) -> None:
    machine = Machine(tmp_path, "database")
    machine.state("failed")
    machine.check("database", "postgresql@", "exit 1")
    rounds(program, program.FAILURES)
    assert machine.asked()[1] == "restart --no-block postgresql@*"


def test_what_does_not_stop_is_killed(program: ModuleType, tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.state("deactivating")
    program.restart("nginx")
    assert machine.asked()[-1] == "kill --signal=KILL nginx"


def test_a_check_that_hangs_has_failed(program: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "CHECK_SECONDS", 0.2)
    slow = tmp_path / "slow"
    slow.write_text("#!/bin/sh\nexec sleep 5\n")
    slow.chmod(0o755)
    assert program.run(str(slow), seconds=0.2) == (124, "no answer within 0.2 s")


def test_a_check_that_prints_any_bytes_has_failed_as_others(program: ModuleType, tmp_path: Path) -> None:
    machine = Machine(tmp_path, "redis")
    machine.check("redis", "redis-server", "printf 'caf\\351\\n'; exit 1")
    rounds(program, 3)
    assert "restart --no-block redis-server" in machine.asked()


def test_pauses_between_restarts_double_and_are_short_again_after_a_calm_time(program: ModuleType) -> None:
    watch = program.Watch("nginx")
    restarts, now = [], 0.0
    while now < 9000:
        if watch.judge(1, "", now):
            restarts.append(now)
        now += 5
    gaps = [later - sooner for sooner, later in pairwise(restarts)]
    assert gaps[0] >= program.FIRST_PAUSE
    longest = program.LONGEST_PAUSE
    assert all(later >= min(2 * sooner, longest) - 5 for sooner, later in pairwise(gaps))
    assert max(gaps) <= longest + 5
    now += program.CALM_SECONDS + 1
    watch.judge(0, "", now)
    assert watch.pause == program.FIRST_PAUSE


def test_a_broken_record_of_what_is_applied_checks_nothing(program: ModuleType, tmp_path: Path) -> None:
    machine = Machine(tmp_path, "redis")
    machine.check("redis", "redis-server", "exit 1")
    (tmp_path / "applied.json").write_text("{")
    rounds(program, program.FAILURES)
    assert machine.asked() == []


def test_metrics_count_restarts_and_a_full_disk_stops_nothing(
    program: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = Machine(tmp_path, "redis")
    machine.check("redis", "redis-server", "exit 1")
    healer = program.Healer()
    for _ in range(program.FAILURES):
        healer.round()
    program.publish(healer.metrics())
    assert 'idr_heal_restarts_total{unit="redis-server"} 1\n' in program.METRICS.read_text()
    monkeypatch.setattr(program, "METRICS", tmp_path / "not there" / "idr-heal.prom")
    program.publish("x")
    assert "cannot write" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["idr-heal.prom", "idr-heal.prom.new", "."])
def test_no_link_in_the_exporters_folder_is_followed(
    program: ModuleType, tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    target, folder = tmp_path / "target", program.METRICS.parent
    if name == ".":
        target.mkdir()
        folder.rmdir()
        folder.symlink_to(target)
        program.publish("text")
        assert list(target.iterdir()) == []
        assert "cannot write" in capsys.readouterr().out
        return
    target.write_text("untouched")
    (folder / name).symlink_to(target)
    program.publish("text")
    assert target.read_text() == "untouched"
    assert program.METRICS.read_text() == "text"
    assert program.METRICS.stat().st_mode & 0o777 == 0o644


def test_systemd_is_notified_that_the_program_works(
    program: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(address)
        monkeypatch.setenv("NOTIFY_SOCKET", address)
        program.notify("WATCHDOG=1")
        assert channel.recv(100) == b"WATCHDOG=1"


def test_systemd_is_notified_before_each_restart_which_may_take_long(
    program: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notices: list[str] = []
    monkeypatch.setattr(program, "notify", notices.append)
    machine = Machine(tmp_path, "web")
    for unit in ("omero-web", "omero-web-tls"):
        machine.check("web", unit, "exit 1")
    rounds(program, program.FAILURES)
    assert notices == ["WATCHDOG=1"] * 2


def test_every_service_restarts_after_it_was_killed() -> None:
    """A unit of Debian gets the drop-in, a unit of this project sets Restart itself."""
    watched = {path.name.removeprefix("watch-") for path in (ROOT / "cloudinit").glob("*/scripts/watch-*")}
    described = "".join(file.read_text() for file in (ROOT / "cloudinit").glob("*/files.yaml"))
    own = {file.stem: file.read_text() for file in ROOT.glob("cloudinit/*/files/etc/systemd/system/*.service")}
    own |= {file.stem: file.read_text() for file in ROOT.glob("dev/demo/*.service")}
    # Debian's ssh.service has Restart=on-failure; nftables.service has no process.
    for unit in watched - {"ssh", "nftables"}:
        dropped_in = f"/etc/systemd/system/{unit}.service.d/idr-restart.conf" in described
        assert dropped_in or "\nRestart=" in own.get(unit, ""), unit


def test_systemd_is_asked_once_in_a_round(program: ModuleType, tmp_path: Path) -> None:
    machine = Machine(tmp_path, "redis", "web")
    for role, unit in (("redis", "redis-server"), ("web", "omero-web"), ("web", "omero-web-tls")):
        machine.check(role, unit, "exit 0")
    rounds(program, 2)
    assert len(machine.questions.read_text().splitlines()) == 2


def test_each_unit_has_its_own_state(program: ModuleType, tmp_path: Path) -> None:
    systemctl = tmp_path / "bin" / "systemctl"
    Machine(tmp_path)
    blocks = (
        "Names=redis.service redis-server.service\nActiveState=active\n\n"
        "Names=postgresql@15-main.service\nActiveState=failed\n\n"
        "Names=postgresql@16-main.service\nActiveState=active\n\n"
        "Names=certbot.timer\nActiveState=inactive\n"
    )
    systemctl.write_text(f"#!/bin/sh\nprintf '%b' '{blocks}'\n")
    asked = ("redis-server", "redis", "postgresql@", "certbot.timer", "gone")
    assert program.states(*asked) == {
        "redis-server": {"active"},
        "redis": {"active"},
        "postgresql@": {"failed", "active"},
        "certbot.timer": {"inactive"},
        "gone": set(),
    }
