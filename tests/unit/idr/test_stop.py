"""The stop of a node before its server is deleted: a dead machine does not prevent its own replacement."""

import os
import subprocess
from pathlib import Path

import pytest

from idr.stop import NO_CONNECTION, configuration, stop

ROUTE = {
    "host": "10.130.1.10",
    "user": "idr",
    "hostKey": "ssh-ed25519 AAAAnode",
    "key": "the node's key\n",
    "through": {"host": "192.0.2.1", "user": "idr", "hostKey": "ssh-ed25519 AAAAjump", "key": "the jump's key\n"},
}


@pytest.fixture
def ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a stub of ssh on PATH, which exits with the number in the file `status` and records each call."""
    program = tmp_path / "ssh"
    program.write_text(
        f'#!/bin/sh\necho "$@" >> {tmp_path}/calls\necho "No route to host" >&2\nexit $(cat {tmp_path}/status)\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return tmp_path


def result(ssh: Path, status: int) -> int:
    (ssh / "status").write_text(str(status))
    return stop("10.130.1.10", ssh / "config", connect_seconds=0)


def test_services_are_stopped(ssh: Path) -> None:
    assert result(ssh, 0) == 0
    assert (ssh / "calls").read_text().strip().endswith("node sudo /usr/local/sbin/idr-apply --stop")


def test_a_machine_that_cannot_be_reached_is_given_up(ssh: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert result(ssh, NO_CONNECTION) == 0
    assert "10.130.1.10 cannot be reached (No route to host)" in capsys.readouterr().out


def test_a_machine_may_say_anything(ssh: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (ssh / "ssh").write_text("#!/bin/sh\nprintf 'Universit\\344t\\n' >&2\nexit 255\n")
    assert stop("10.130.1.10", ssh / "config", connect_seconds=0) == 0
    assert "cannot be reached (Universit\ufffdt)" in capsys.readouterr().out


def test_services_that_do_not_stop_are_an_error_with_a_way_on(ssh: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert result(ssh, 1) == 1
    assert "openstack server stop" in capsys.readouterr().err


def test_a_connection_that_comes_back_is_used(ssh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (ssh / "status").write_text(str(NO_CONNECTION))
    monkeypatch.setattr("idr.stop.time.sleep", lambda _: (ssh / "status").write_text("0"))
    assert stop("10.130.1.10", ssh / "config", connect_seconds=60) == 0
    assert len((ssh / "calls").read_text().splitlines()) == 2


def test_the_machine_is_authenticated_and_reached_through_the_bastion(tmp_path: Path) -> None:
    config = configuration(ROUTE, tmp_path)
    shown = subprocess.run(["ssh", "-G", "-F", str(config), "node"], capture_output=True, text=True, check=True).stdout
    for line in (
        "hostname 10.130.1.10",
        "proxyjump jump",
        "stricthostkeychecking true",
        "batchmode yes",
        f"identityfile {tmp_path}/node.key",
        f"userknownhostsfile {tmp_path}/node.known_hosts",
    ):
        assert line in shown.splitlines()
    assert (tmp_path / "node.known_hosts").read_text() == "node ssh-ed25519 AAAAnode\n"
    assert (tmp_path / "jump.key").stat().st_mode & 0o777 == 0o600
