"""`idr-apply` installs, checks, activates and waits for health; a failure puts the former files back in force."""

import json
import os
from pathlib import Path

import pytest

from tests.unit.cloudinit.conftest import Machine
from tests.waiting import wait_until


def test_steps_run_in_order_and_files_stand_with_their_mode(machine: Machine) -> None:
    machine.program.apply(machine.bundle("one\n", "d1"))
    assert machine.ran() == [
        *("first prepare", "second prepare", "first check", "second check"),
        *("first activate", "one", "second activate", "first health", "second health"),
    ]
    assert machine.config.read_text() == "one\n"
    assert machine.config.stat().st_mode & 0o777 == 0o640
    assert machine.program.applied()["digest"] == "d1"


def test_a_second_time_changes_no_file(machine: Machine) -> None:
    machine.program.apply(machine.bundle("one\n", "d1"))
    before = machine.config.stat().st_ino
    machine.program.apply(machine.bundle("one\n", "d1"))
    assert machine.config.stat().st_ino == before


def test_a_failed_check_puts_the_old_files_back_and_activates_nothing(machine: Machine) -> None:
    machine.program.apply(machine.bundle("one\n", "d1"))
    machine.ran()
    with pytest.raises(machine.program.Failure, match=r"role first: check failed \(exit status 7\):\nbad line 3"):
        machine.program.apply(machine.bundle("two\n", "d2", check="echo bad line 3; exit 7"))
    assert machine.config.read_text() == "one\n"
    assert "two" not in machine.ran()
    assert machine.program.applied()["digest"] == "d1"


def test_a_step_may_print_any_bytes(machine: Machine) -> None:
    machine.program.apply(machine.bundle("one\n", "d1"))
    with pytest.raises(machine.program.Failure, match="caf\ufffd"):
        machine.program.apply(machine.bundle("two\n", "d2", check="printf 'caf\\351\\n'; exit 7"))
    assert machine.config.read_text() == "one\n"
    assert machine.program.applied()["digest"] == "d1"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"owner": "nobody-of-that-name"}, "name not found: 'nobody-of-that-name'"),
        ({"group": "no-such-group"}, "name not found: 'no-such-group'"),
        ({"path": "{folder}/a-folder"}, "Is a directory"),
        ({"path": "{folder}/" + "x" * 300}, "File name too long"),
    ],
)
def test_a_file_that_the_system_refuses_puts_the_old_ones_back(
    machine: Machine, change: dict[str, str], message: str
) -> None:
    machine.program.apply(machine.bundle("one\n", "d1"))
    (machine.folder / "a-folder").mkdir()
    bundle = machine.bundle("two\n", "d2")
    entry = machine.file(machine.folder / "other.conf", "other\n")
    bundle["files"].append(entry | {name: text.format(folder=machine.folder) for name, text in change.items()})
    with pytest.raises(machine.program.Failure, match=f"is not written: .*{message}") as failed:
        machine.program.apply(bundle)
    assert "The previous configuration is back in force" in str(failed.value)
    assert machine.config.read_text() == "one\n"
    assert not list(machine.folder.glob(".*.idr-new"))


def test_a_file_that_cannot_be_put_back_is_named_after_the_first_cause(machine: Machine) -> None:
    machine.program.apply(machine.bundle("one\n", "d1"))
    check = f"rm {machine.config}; mkdir {machine.config}; echo the first cause; exit 1"
    with pytest.raises(
        machine.program.Failure, match=r"(?s)the first cause.*is not back:\n.*service\.conf is not written"
    ):
        machine.program.apply(machine.bundle("two\n", "d2", check=check))
    machine.config.rmdir()
    machine.program.apply(machine.bundle("one\n", "d1"))
    assert machine.config.read_text() == "one\n"


def test_a_step_that_the_system_cannot_start_puts_the_old_files_back(machine: Machine) -> None:
    machine.program.apply(machine.bundle("one\n", "d1"))
    bundle = machine.bundle("two\n", "d2")
    for entry in bundle["files"]:
        if entry["path"].endswith("first/check"):
            entry["content"] = "no program at all\n"
    with pytest.raises(machine.program.Failure, match="first/check cannot be started: Exec format error"):
        machine.program.apply(bundle)
    assert machine.config.read_text() == "one\n"


def test_a_step_that_takes_too_long_ends_with_all_that_it_started(machine: Machine) -> None:
    number = machine.folder / "number"
    script = f"sleep 600 & echo $! > {number}; wait"
    assert machine.program.execute(["sh", "-c", script], seconds=3) == (124, "no end after 3 s")
    state = Path(f"/proc/{number.read_text().strip()}/stat")
    # The kernel ends a killed process when it gets a processor.
    wait_until(lambda: not state.exists() or state.read_text().split()[2] == "Z", 30)


def test_an_owner_without_a_name_is_a_number(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.config.write_text("one\n")

    def nobody(number: int) -> None:
        raise KeyError(number)

    monkeypatch.setattr(machine.program.pwd, "getpwuid", nobody)
    assert machine.program.read(machine.config)["owner"] == str(os.getuid())


def test_going_back_touches_no_file_that_the_failed_bundle_left_alone(machine: Machine) -> None:
    machine.program.apply(machine.bundle("one\n", "d1", extra=True))
    file = machine.folder / "extra.conf"
    before = file.stat()
    with pytest.raises(machine.program.Failure, match=r"role first: check failed \(exit status 7\)"):
        machine.program.apply(machine.bundle("two\n", "d2", extra=True, check="exit 7"))
    assert (file.stat().st_ino, file.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_an_unhealthy_role_brings_the_old_configuration_back_in_force(machine: Machine) -> None:
    machine.program.apply(machine.bundle("one\n", "d1"))
    machine.ran()
    with pytest.raises(machine.program.Failure, match="previous configuration is back in force"):
        machine.program.apply(machine.bundle("two\n", "d2", health="echo no answer; exit 1"))
    assert machine.config.read_text() == "one\n"
    ran = machine.ran()
    assert ran.index("two") < len(ran) - 1 - ran[::-1].index("one")


def test_after_a_failed_first_time_the_next_completes_it(machine: Machine) -> None:
    with pytest.raises(machine.program.Failure, match="Nothing was applied here before"):
        machine.program.apply(machine.bundle("one\n", "d1", health="exit 1"))
    assert machine.program.applied()["digest"] is None
    machine.program.apply(machine.bundle("one\n", "d1b"))
    assert machine.program.applied()["digest"] == "d1b"


def test_a_file_that_is_no_longer_listed_goes(machine: Machine) -> None:
    machine.program.apply(machine.bundle("one\n", "d1", extra=True))
    assert (machine.folder / "extra.conf").exists()
    machine.program.apply(machine.bundle("one\n", "d2"))
    assert not (machine.folder / "extra.conf").exists()


def test_stopping_goes_from_the_last_role_to_the_first(machine: Machine) -> None:
    machine.program.apply(machine.bundle("one\n", "d1"))
    machine.ran()
    machine.program.stop()
    assert machine.ran() == ["second stop", "first stop"]


def test_status_is_zero_only_when_every_role_is_well(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    assert machine.program.status() == 1
    machine.program.apply(machine.bundle("one\n", "d1"))
    assert machine.program.status() == 0
    (machine.program.LIBRARY / "second" / "health").write_text("#!/bin/sh\nexit 1\n")
    assert machine.program.status() == 1
    assert '"second": false' in capsys.readouterr().out


def test_the_log_names_steps_and_no_content(machine: Machine) -> None:
    machine.program.apply(machine.bundle("a secret\n", "d1"))
    log = machine.program.LOG.read_text()
    assert "first health" in log
    assert "a secret" not in log


def test_after_a_killed_run_the_bundle_before_it_is_what_is_gone_back_to(machine: Machine) -> None:
    machine.program.apply(machine.bundle("one\n", "d1"))
    # Killed after it installed its files: they are there, and no service was restarted.
    machine.config.write_text("half\n")
    machine.program.keep(machine.program.UNFINISHED, "d2")
    machine.ran()
    with pytest.raises(machine.program.Failure, match="previous configuration is back in force"):
        machine.program.apply(machine.bundle("three\n", "d3", check="exit 1"))
    assert machine.config.read_text() == "one\n"
    assert "one" in machine.ran()
    assert not machine.program.UNFINISHED.exists()


def test_after_a_killed_run_every_file_counts_as_changed(machine: Machine) -> None:
    bundle = machine.bundle("one\n", "d1")
    machine.program.apply(bundle)
    machine.program.keep(machine.program.UNFINISHED, "d2")
    bundle["files"][1] = machine.file(
        machine.program.LIBRARY / "first" / "prepare",
        f'#!/bin/sh\necho "$CHANGED" > {machine.folder}/changed\n',
        "0755",
    )
    machine.program.apply(bundle)
    assert str(machine.config) in (machine.folder / "changed").read_text()


def test_a_configuration_that_is_back_but_not_healthy_is_reported(machine: Machine) -> None:
    sick = f"[ -e {machine.folder}/well ]"
    (machine.folder / "well").touch()
    machine.program.apply(machine.bundle("one\n", "d1", health=sick))
    (machine.folder / "well").unlink()
    with pytest.raises(machine.program.Failure, match="is back, but not healthy: first"):
        machine.program.apply(machine.bundle("two\n", "d2", health=sick))


def test_each_role_has_its_own_time_to_become_healthy(machine: Machine) -> None:
    bundle = {**machine.bundle("one\n", "d1"), "timeouts": {"second": 7}}
    assert [machine.program.health_seconds(bundle, role) for role in ("first", "second")] == [0, 7]


def test_status_tells_a_slow_role_from_one_that_is_not_well(
    machine: Machine, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.program.apply(machine.bundle("one\n", "d1", health="[ ! -e slow ] || exec sleep 5"))
    monkeypatch.setattr(machine.program, "STATUS_SECONDS", 0.5)
    monkeypatch.chdir(machine.folder)
    (machine.folder / "slow").touch()
    assert machine.program.status() == 1
    status = json.loads(capsys.readouterr().out)
    assert (status["digest"], status["healthy"], status["slow"]) == ("d1", {"second": True}, ["first"])
