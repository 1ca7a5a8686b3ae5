"""The values that the probe of `idr status` reads on a machine."""

import json
import os
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from idr.status import nodes, probe
from tests import stubs


def test_the_probe_answers_on_a_machine_that_is_no_node() -> None:
    done = subprocess.run(
        [sys.executable, "-"], input=nodes.PROBE.read_text(), capture_output=True, text=True, check=True
    )
    answer = nodes.Answer.model_validate_json(done.stdout)
    assert answer.disks[0].mount == "/"
    assert answer.applied is None


DONE = {"v1": {"datasource": "DataSourceConfigDrive", "errors": []}}
FAILED = {"v1": {"datasource": "DataSourceConfigDrive", "errors": ["('package_update_upgrade_install', ...)"]}}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, "unknown"),
        ({"status.json": {"v1": {"stage": "modules-final"}}}, "running"),
        ({"status.json": {"v1": {"stage": None}}, "result.json": DONE}, "done"),
        ({"status.json": {"v1": {"stage": None}}, "result.json": FAILED}, "error"),
    ],
)
def test_the_probe_says_what_cloud_init_status_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, files: dict[str, Any], expected: str
) -> None:
    for name, content in files.items():
        (tmp_path / name).write_text(json.dumps(content))
    monkeypatch.setattr(probe, "CLOUD_INIT", tmp_path)
    assert probe.bootstrap() == expected


def test_the_probe_says_versions_as_the_machine_has_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dpkg = stubs.put(tmp_path, monkeypatch, "dpkg-query")
    dpkg.answers((0, "postgresql-15 15.8-0\npostgresql-16 \n", ""))
    monkeypatch.setattr(sys, "argv", ["-", "postgresql-1[0-9]"])
    runpy.run_path(str(nodes.PROBE), run_name="__main__")
    answer = nodes.Answer.model_validate_json(capsys.readouterr().out)
    assert answer.versions["kernel"] == os.uname().release
    # dpkg-query also lists packages that are not installed.
    assert answer.versions["postgresql-15"] == "15.8-0"
    assert "postgresql-16" not in answer.versions
    assert [call.arguments[-1] for call in dpkg.calls] == ["postgresql-1[0-9]"]
    assert 0 <= answer.disks[0].percent <= 100


BATCH = """NEEDRESTART-VER: 3.6
NEEDRESTART-KCUR: 6.1.0-28-cloud-amd64
NEEDRESTART-KEXP: 6.1.0-29-cloud-amd64
NEEDRESTART-KSTA: {kernel}
NEEDRESTART-SVC: postgresql@15-main.service
NEEDRESTART-SVC: nginx.service
NEEDRESTART-SESS: idr @ session #3
"""


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (BATCH.format(kernel=3), nodes.Patches(reboot=True, services=("nginx", "postgresql@15-main"))),
        (BATCH.format(kernel=1), nodes.Patches(reboot=False, services=("nginx", "postgresql@15-main"))),
        # A container has no kernel of its own.
        ("NEEDRESTART-VER: 3.6\n", nodes.Patches(reboot=False, services=())),
        ("", None),
    ],
)
def test_the_probe_says_what_still_runs_as_before_an_upgrade(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    message: str,
    expected: nodes.Patches | None,
) -> None:
    needrestart = stubs.put(tmp_path, monkeypatch, "needrestart")
    needrestart.answers((0, message, ""))
    # The real program has the lowest priority, and the machine can be busy for longer than the probe waits.
    nice = tmp_path / "nice"
    nice.write_text('#!/bin/sh\nshift 2\nexec "$@"\n')
    nice.chmod(0o755)
    monkeypatch.setattr(sys, "argv", ["-"])
    runpy.run_path(str(nodes.PROBE), run_name="__main__")
    assert nodes.Answer.model_validate_json(capsys.readouterr().out).patches == expected
    # It must change nothing, whatever the node's configuration says.
    assert needrestart.calls[0].arguments == ["-b"]
