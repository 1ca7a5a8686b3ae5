"""What a command says while it waits."""

import io
import stat
import time
from pathlib import Path

import pytest
from rich.console import Console

from idr import cli, cloud, engine, waiting


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "PATIENCE_SECONDS", 0.05)


def test_who_waits_for_the_cloud_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    def ask() -> str:
        time.sleep(0.4)
        return "answer"

    assert cloud.asking(ask) == "answer"
    assert capsys.readouterr() == ("", "waiting for the cloud\n")


def test_nobody_is_told_of_what_is_quick(capsys: pytest.CaptureFixture[str]) -> None:
    cloud.asking(lambda: "answer")
    time.sleep(0.2)
    assert capsys.readouterr() == ("", "")


def test_who_waits_for_the_engine_is_told_for_what(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    program = tmp_path / "pulumi"
    program.write_text("#!/bin/sh\nsleep 0.4\necho done\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr("idr.checkout.folder", lambda: tmp_path)
    assert engine.run("refresh", "--json") == "done\n"
    assert capsys.readouterr() == ("", "waiting for pulumi refresh\n")


@pytest.mark.parametrize("is_terminal", [True, False])
def test_a_log_has_a_line_a_minute(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *, is_terminal: bool
) -> None:
    seconds = [0.0]
    monkeypatch.setattr("idr.cli.time.monotonic", lambda: seconds[0])
    log = cli.Log(Console(file=io.StringIO(), force_terminal=is_terminal))
    for now in (1, 59, 60, 61, 119, 121, 180, 182):
        seconds[0] = float(now)
        log.show(f"{now} files")
    assert capsys.readouterr().err == ("" if is_terminal else "60 files\n121 files\n182 files\n")
