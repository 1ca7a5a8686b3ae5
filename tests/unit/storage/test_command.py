"""`idr storage report` with a stub of ssh, and its files on the read-write node."""

import json
import subprocess
import sys
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from typer.testing import CliRunner

from cloudinit import render
from harness import stacks
from harness.stacks import ROOT
from idr.__main__ import app
from idr.storage.command import PROGRAM
from idr.storage.growth import KINDS
from idr.storage.scan import comparing
from model.outputs import contract
from model.outputs.topology import Known
from model.roles import Role
from tests import stubs
from tests.stubs import Stub

LIBRARY = "/usr/local/lib/idr-storage/scan"
PLAN = stacks.plan_of("ebi")
OUTPUTS = contract.outputs(PLAN, stacks.secrets_of("ebi"), Known(public="192.0.2.1", bastion="192.0.2.2"))


def sums(size: int) -> dict[str, int]:
    return {"files": 1, "bytes": size}


def end(before: dict[str, Any] | None = None, **faults: int) -> str:
    studies = {"idr0001-graml-sysgro": sums(2 * 10**9), "idr0002-heriche": sums(5 * 10**12), "": sums(10)}
    counts = {kind: {"files": faults.get(kind.replace("-", "_"), 0), "bytes": 0} for kind in KINDS}
    report = {"taken": "2026-11-27T02:00:00Z", "studies": studies, "faults": counts, "seconds": 12.5, "memoryMib": 41}
    return json.dumps({"report": report | {"before": before}}) + "\n"


BEFORE = {
    "taken": "2026-11-01T02:00:00Z",
    "studies": {"idr0002-heriche": sums(4 * 10**12), "idr0003-gone": sums(10**6), "": sums(10)},
    "faults": {},
}


def fault(kind: str, number: int) -> str:
    path = f"/data/OMERO/{kind}/{number}"
    return json.dumps({"kind": kind, "path": path, "bytes": 3, "study": "idr0001-graml-sysgro"}) + "\n"


@pytest.fixture
def ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stub:
    return stubs.put(tmp_path, monkeypatch, "ssh")


@pytest.fixture
def idr(tmp_path: Path) -> Any:
    file = tmp_path / "outputs.json"
    file.write_text(json.dumps(OUTPUTS))
    return lambda *given: CliRunner().invoke(app, ["storage", "report", "--from", str(file), *given])


def test_the_read_write_node_of_the_live_release_makes_the_report(ssh: Stub, idr: Any) -> None:
    ssh.answers((0, '{"lookedAt": 1000}\n' + end(), ""))
    done = idr()
    assert done.exit_code == 0, done.output
    node = f"{PLAN.settings.live}-omeroreadwrite"
    assert ssh.calls[0].arguments[-4:] == [node, "sudo", "-n", PROGRAM]
    assert "Every file that the database names is there." in done.stdout
    assert "The first report" in done.stdout


def test_studies_are_listed_by_size_with_their_growth(ssh: Stub, idr: Any) -> None:
    ssh.answers((0, end(BEFORE), ""))
    growth = json.loads(idr("--json").stdout)["growth"]
    assert [(study["name"], study["bytes"], study["grown"]) for study in growth] == [
        ("idr0002-heriche", 5 * 10**12, 10**12),
        ("idr0001-graml-sysgro", 2 * 10**9, 2 * 10**9),
        ("", 10, 0),
        ("idr0003-gone", 0, -(10**6)),
    ]
    text = idr().stdout
    assert "+1.0 TB" in text
    assert "-1.0 MB" in text
    assert "(of no project or screen)" in text


def test_faults_that_hide_images_fail_and_others_do_not(ssh: Stub, idr: Any) -> None:
    ssh.answers((0, fault("unused", 1) + end(unused=1), ""), (0, fault("broken", 1) + end(broken=1), ""))
    harmless, harmful = idr(), idr()
    assert (harmless.exit_code, harmful.exit_code) == (0, 1)
    assert "/data/OMERO/unused/1" in harmless.stdout
    assert "1 files, 0 bytes, are links that lead nowhere:" in harmful.stdout
    assert "/data/OMERO/broken/1 (idr0001-graml-sysgro)" in harmful.stdout


def test_all_faults_go_to_a_file_and_the_first_of_each_kind_are_shown(ssh: Stub, idr: Any, tmp_path: Path) -> None:
    lines = [fault(kind, number) for kind in ("missing", "no-memo") for number in range(20)]
    ssh.answers((0, "".join(lines) + end(missing=20, no_memo=20), ""))
    done = idr("--faults", str(tmp_path / "faults"))
    assert (tmp_path / "faults").read_text() == "".join(lines)
    assert done.stdout.count("/data/OMERO/missing/") == done.stdout.count("/data/OMERO/no-memo/") == 5


def test_a_file_that_cannot_be_written_is_told_at_once(ssh: Stub, idr: Any, tmp_path: Path) -> None:
    file = tmp_path / "none" / "faults"
    done = idr("--faults", str(file))
    assert (done.exit_code, done.stderr) == (1, f"error: {file}: No such file or directory\n")
    assert ssh.calls == []


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ((1, "", "no report: /uod/idr is not mounted\n"), "no report: /uod/idr is not mounted"),
        ((1, fault("missing", 1), "sudo: x: command not found\n"), "it has no program for this: with the demo there"),
        ((255, "", "idr@x: Permission denied (publickey).\n"), "the node accepts none of ssh's keys"),
        (
            (255, "", "ssh: connect to host b: No route to host\nConnection closed by UNKNOWN port 65535\n"),
            "ssh: connect to host b: No",
        ),
        ((1, "", "sudo: a password is required\n"), "your account may not look at all files"),
        ((0, fault("missing", 1), ""), "the scan ended without a report"),
        ((0, "Welcome\n", ""), "invalid line of the scan: 'Welcome\\n'"),
    ],
)
def test_a_scan_that_does_not_end_well_is_no_report(
    ssh: Stub, idr: Any, answer: tuple[int, str, str], message: str
) -> None:
    ssh.answers(answer)
    done = idr()
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith(f"error: {PLAN.settings.live}-omeroreadwrite: {message}")


@pytest.mark.usefixtures("idr")
def test_many_messages_of_ssh_do_not_stop_the_scan(ssh: Stub, tmp_path: Path) -> None:
    # More than a pipe holds.
    ssh.answers((0, end(), "a warning\n" * 20_000))
    command = [sys.executable, "-m", "idr", "storage", "report", "--from", str(tmp_path / "outputs.json")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 0, done.stderr
    assert "Every file that the database names is there." in done.stdout


def test_the_command_knows_every_kind_of_fault() -> None:
    assert tuple(KINDS) == comparing.KINDS


def test_the_node_has_every_module_of_the_scan() -> None:
    (node,) = PLAN.release(PLAN.settings.live).with_role(Role.OMERO_READWRITE)
    text = render.bundle(node, PLAN, stacks.secrets_of("ebi"), {volume.purpose: "0" * 20 for volume in node.volumes})
    files = {entry["path"]: entry["content"] for entry in json.loads(text)["files"]}
    there = {PurePosixPath(path).name: text for path, text in files.items() if path.startswith(LIBRARY)}
    assert there == {file.name: file.read_text() for file in (ROOT / "idr" / "storage" / "scan").glob("*.py")}
    assert PROGRAM in files
