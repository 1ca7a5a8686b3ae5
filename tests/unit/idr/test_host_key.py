"""A node gets another ssh host key: on a machine that answers late, or never, and by the real script."""

import os
import subprocess
from pathlib import Path

import pytest

from idr.host_key import SCRIPT, install
from idr.stop import NO_CONNECTION, configuration
from model.secrets import Secrets

OLD, NEW = (Secrets("local", text).ssh_key("host/a") for text in ("the former one", "the present one"))
HOP = {"host": "10.130.1.10", "user": "idr", "hostKey": NEW.public, "formerHostKeys": [OLD.public], "key": "key\n"}


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder for programs that replace others."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return folder


def put(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)


def test_both_host_keys_are_accepted_of_the_node_and_of_the_bastion(tmp_path: Path) -> None:
    configuration({**HOP, "through": HOP}, tmp_path)
    for alias in ("node", "jump"):
        known = (tmp_path / f"{alias}.known_hosts").read_text()
        assert known == f"{alias} {NEW.public}\n{alias} {OLD.public}\n"


def test_the_key_is_given_on_standard_input_and_is_on_no_command_line(programs: Path) -> None:
    put(programs, "ssh", f'echo "$@" > {programs}/line; cat > {programs}/input')
    assert install("a", programs / "config", NEW.private) == 0
    assert (programs / "input").read_text() == NEW.private
    assert not [line for line in NEW.private.splitlines()[1:-1] if line in (programs / "line").read_text()]


def test_a_machine_that_boots_is_waited_for(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(programs, "ssh", f"exit {NO_CONNECTION}")
    monkeypatch.setattr("idr.host_key.time.sleep", lambda _: put(programs, "ssh", "exit 0"))
    assert install("a", programs / "config", NEW.private, connect_seconds=60) == 0


def test_a_machine_that_never_answers_fails_the_update(programs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(programs, "ssh", f"echo 'No route to host' >&2; exit {NO_CONNECTION}")
    assert install("10.130.1.10", programs / "config", NEW.private, connect_seconds=0) == NO_CONNECTION
    message = "10.130.1.10 did not get its new ssh host key: No route to host. Run `pulumi up` again.\n"
    assert capsys.readouterr().err == message


def renewed(folder: Path, programs: Path) -> int:
    """Run the script on a folder instead of /etc/ssh; return how often sshd was reloaded."""
    put(programs, "systemctl", f'echo "$*" >> {programs}/calls')
    script = SCRIPT.replace("/etc/ssh/", f"{folder}/")
    subprocess.run(["/bin/sh", "-ec", script], input=NEW.private, text=True, check=True)
    calls = programs / "calls"
    return calls.read_text().splitlines().count("reload ssh") if calls.exists() else 0


def test_the_machine_shows_the_new_key_and_keeps_no_other_file(tmp_path: Path, programs: Path) -> None:
    folder = tmp_path / "ssh"
    folder.mkdir()
    private, public = folder / "ssh_host_ed25519_key", folder / "ssh_host_ed25519_key.pub"
    private.write_text(OLD.private)
    public.write_text(OLD.public)
    assert renewed(folder, programs) == 1
    assert private.read_text() == NEW.private
    assert public.read_text().split()[:2] == NEW.public.split()
    assert (private.stat().st_mode & 0o777, public.stat().st_mode & 0o777) == (0o600, 0o644)
    assert sorted(folder.iterdir()) == [private, public]
    # Again: nothing needs to be done.
    assert renewed(folder, programs) == 1
    assert sorted(folder.iterdir()) == [private, public]
