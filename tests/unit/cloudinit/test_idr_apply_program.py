"""`idr-apply` from its command line: it renews itself, waits for the bootstrap, then applies the bundle."""

import io
import json
import os
from typing import Any

import pytest

from tests.unit.cloudinit.conftest import Machine


def started(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, bundle: dict[str, Any] | str, *arguments: str
) -> tuple[int, list[str]]:
    """Return the exit status of a run with this input, and its calls to renew, wait and apply."""
    done: list[str] = []
    program = machine.program
    for name in ("renew", "wait_for_bootstrap", "apply", "stop", "status"):
        monkeypatch.setattr(program, name, lambda *_, name=name: done.append(name))
    monkeypatch.setattr("sys.argv", ["idr-apply", *arguments])
    monkeypatch.setattr("sys.stdin", io.StringIO(bundle if isinstance(bundle, str) else json.dumps(bundle)))
    return program.main(), done


def test_a_newer_program_comes_first_then_the_bootstrap_is_awaited_then_the_bundle_applied(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    status, done = started(machine, monkeypatch, machine.bundle("one\n", "d1"))
    assert (status, done) == (0, ["renew", "wait_for_bootstrap", "apply"])
    assert "n: first, second: ready" in capsys.readouterr().out


def test_to_stop_needs_no_bundle_and_waits_for_nothing(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    assert started(machine, monkeypatch, "", "--stop") == (0, ["stop"])


def test_what_is_no_bundle_changes_nothing(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert started(machine, monkeypatch, "{half a bundle") == (2, [])
    assert "nothing was changed" in capsys.readouterr().err


def test_a_failure_is_shown_with_the_machines_name(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails() -> None:
        raise machine.program.Failure("cloud-init failed")

    monkeypatch.setattr(machine.program, "renew", lambda *_: None)
    monkeypatch.setattr(machine.program, "wait_for_bootstrap", fails)
    monkeypatch.setattr("sys.argv", ["idr-apply"])
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(machine.bundle("one\n", "d1"))))
    assert machine.program.main() == 1
    assert capsys.readouterr().err == f"idr-apply: {os.uname().nodename}: cloud-init failed\n"


@pytest.mark.parametrize("other", [True, False])
def test_the_bundles_own_program_takes_over_where_it_differs(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, other: bool
) -> None:
    myself = machine.folder / "idr-apply"
    myself.write_text("the program\n")
    monkeypatch.setattr(machine.program, "MYSELF", myself)
    taken: list[tuple[str, list[str]]] = []
    given: list[int] = []
    monkeypatch.setattr(machine.program.os, "execv", lambda path, arguments: taken.append((path, arguments)))
    monkeypatch.setattr(machine.program.os, "dup2", lambda _, target: given.append(target))
    bundle = machine.bundle("one\n", "d1")
    bundle["files"].append(machine.file(myself, "a newer program\n" if other else "the program\n", "0755"))
    machine.program.renew(bundle, "text")
    assert (taken, given) == (([(str(myself), [str(myself)])], [0]) if other else ([], []))
    assert myself.read_text() == ("a newer program\n" if other else "the program\n")


CLOUD_INIT = '#!/bin/sh\necho "$@" >> {folder}/asked\necho "status: {status}"\nexit {exit_status}\n'


@pytest.mark.parametrize(("exit_status", "fails"), [(0, False), (2, False), (1, True)])
def test_the_end_of_cloud_init_is_awaited_and_its_failure_shown(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, exit_status: int, fails: bool
) -> None:
    """Exit status 2 means that cloud-init recovered from an error."""
    program = machine.folder / "cloud-init"
    program.write_text(CLOUD_INIT.format(folder=machine.folder, status="error", exit_status=exit_status))
    program.chmod(0o755)
    monkeypatch.setattr(machine.program, "CLOUD_INIT", program)
    if fails:
        with pytest.raises(machine.program.Failure, match="cloud-init failed:\nstatus: error"):
            machine.program.wait_for_bootstrap()
    else:
        machine.program.wait_for_bootstrap()
    assert (machine.folder / "asked").read_text() == "status --wait --long\n"


def test_a_cloud_init_that_does_not_end_is_a_failure(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    program = machine.folder / "cloud-init"
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    program.chmod(0o755)
    monkeypatch.setattr(machine.program, "CLOUD_INIT", program)
    monkeypatch.setattr(machine.program, "BOOT_SECONDS", 0.2)
    with pytest.raises(machine.program.Failure, match="cloud-init has not ended"):
        machine.program.wait_for_bootstrap()
