"""`idr import`, from a list to a report. Here ssh runs its commands on a node of the test."""

import json
import os
import shlex
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from harness import stacks
from idr.__main__ import app
from idr.importer.checks import FAULTS
from idr.imports import command, remote
from idr.imports.show import NEXT_STEP, WAITING
from model.outputs import contract
from model.outputs.topology import Known
from tests.unit.importer.node import PROGRAMS, Node

pytestmark = pytest.mark.long

OUTPUTS = contract.outputs(
    stacks.plan_of("ebi"), stacks.secrets_of("ebi"), Known(public="192.0.2.10", bastion="192.0.2.11")
)
# What ssh runs as `idr-import`. The child replaces the path unit: it works when something was queued.
ON_NODE = """#!{python} -IS
import os, shlex, subprocess, sys
from pathlib import Path
sys.path.insert(0, {root!r})
words = shlex.split(sys.argv[-1])
assert words[:5] == {program!r}, words
home = Path({home!r})
with (home / "calls").open("a") as calls:
    calls.write(f"{{sys.argv[-2]}} {{words[5]}}{{' on a terminal' if '-t' in sys.argv else ''}}\\n")
if (home / "says").exists():
    sys.exit((home / "says").read_text())
os.environ |= {{"PATH": {path!r}, "STAND_IN": str(home)}}
from idr.importer import __main__ as main
main.IMPORTS, main.SETTINGS, main.PASSWORD = home / "imports", home / "settings", home / "password"
if words[5] == "queue" and (home / "unit").exists():
    status = main.main(words[5:])
    if status == 0 and os.fork() == 0:
        os.close(1), os.close(2), os.setsid()
        os.open("/dev/null", os.O_RDWR), os.open("/dev/null", os.O_RDWR)
        from idr.importer import worker
        worker.TURN_SECONDS, worker.DISKS = 0.05, ()
        worker.limits.has_memory = lambda: True
        main.main(["work"])
        os._exit(0)
    sys.exit(status)
sys.exit(main.main(words[5:]))
"""


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Node:
    import_node = Node.make(tmp_path)
    (import_node.import_folder.sessions / "alive").unlink()
    (tmp_path / "unit").touch()
    settings = {"address": "192.0.2.1", "mounts": [], "folders": [str(tmp_path)], "connection": "x", "database_gib": 10}
    (tmp_path / "settings").write_text(json.dumps(settings))
    (tmp_path / "bin").mkdir()
    ssh = tmp_path / "bin" / "ssh"
    values = {"home": str(tmp_path), "program": list(remote.PROGRAM), "path": f"{PROGRAMS}:{os.environ['PATH']}"}
    ssh.write_text(ON_NODE.format(python=sys.executable, root=str(stacks.ROOT), **values))
    ssh.chmod(0o755)
    monkeypatch.setenv("PATH", f"{ssh.parent}:{os.environ['PATH']}")
    monkeypatch.setattr(command, "POLL_SECONDS", 0.3)
    return import_node


def put(node: Node, *paths: str, keys: str = "target: 'Dataset:name:x'") -> Path:
    (node.home / "rows.txt").write_text("".join(f"{path}\n" for path in paths))
    file = node.home / "list-bulk.yml"
    file.write_text(f"path: rows.txt\n{keys}\n")
    return file


def run(file: Path, *options: str) -> Result:
    arguments = ["import", str(file), "--from", "-", *options]
    return CliRunner().invoke(app, arguments, input=json.dumps(OUTPUTS))


def read(result: Result) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


def test_a_list_is_checked_imported_and_reported(node: Node) -> None:
    file = put(node, *node.images("a.tiff", "b.tiff"))
    done = run(file, "--user", "demo")
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines() == [
        "list: finished; 2 of 2 rows done, 0 failed, 4 images, opened: 2 of 2",
        NEXT_STEP,
    ]
    calls = [line.removeprefix("prod130-omeroreadwrite ") for line in (node.home / "calls").read_text().splitlines()]
    assert calls[:5] == ["report", "check", "session", "login on a terminal", "queue"]
    assert set(calls[5:]) == {"report"}
    about = read(run(file, "--report", "--json"))
    assert [(row["state"], row["images"]) for row in about["each"]] == [("done", 2), ("done", 2)]
    assert "Dataset:name:x" in run(file, "--report").stdout
    # The same command again: OMERO has all of it.
    assert run(file, "--user", "demo").exit_code == 0
    assert len(node.query("select id from filesets")) == 2


def test_faults_are_told_before_anybody_types_a_password(node: Node) -> None:
    file = put(node, *node.images("a.tiff"), *(f"{node.home}/no{number}" for number in range(4)), "/x")
    done = run(file, "--user", "demo")
    assert done.exit_code == 1
    assert done.stderr.splitlines() == [
        f"error: 1 of 6 paths {FAULTS['outside']}: /x",
        f"error: 4 of 6 paths are not there: {node.home}/no0, {node.home}/no1, {node.home}/no2, ...",
    ]
    assert "login" not in (node.home / "calls").read_text()
    assert read(run(file, "--check", "--json"))["faults"]["missing"]["count"] == 4
    assert node.counts() == {}


def test_a_good_list_is_only_looked_at(node: Node) -> None:
    done = run(put(node, *node.images("a.tiff")), "--check")
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [
        "1 rows: every path is there, complete, and can be read",
        "Beside the list: nothing that is to follow",
    ]
    assert (node.home / "calls").read_text() == "prod130-omeroreadwrite check\n"


def test_rows_that_failed_are_shown_with_the_cause_and_the_log(node: Node) -> None:
    done = run(put(node, *node.images("a.tiff", "broken.tiff")), "--user", "demo")
    assert done.exit_code == 1
    failed, summary, _ = done.stdout.splitlines()
    assert failed.startswith(
        f"{node.home}/images/broken.tiff: Caused by: loci.formats.FormatException: no pixels (log on"
    )
    assert summary == "list: finished; 1 of 2 rows done, 1 failed, 2 images, opened: 1 of 1"


def test_what_lies_beside_the_list_follows_and_is_reported(node: Node) -> None:
    file = put(node, *node.images("a.tiff", "closed.tiff"), keys="target: 'Screen:name:x'")
    (node.home / "list-annotation.csv").write_text("Plate,Well\nno plate,A1\n")
    (node.home / "list-bulkmap-config.yml").write_text("columns:\n  - name: Well\n")
    assert "Beside the list: bulkmap-config, annotation" in run(file, "--check").stdout
    done = run(file, "--user", "demo")
    assert done.exit_code == 1
    opened, annotations, summary, _ = done.stdout.splitlines()
    assert opened.startswith(f"opened: {node.home}/images/closed.tiff: fail: Pixels:1 Image:1 0.2 java.io.IOException")
    assert annotations.startswith("annotations: Screen:1: the container has no no plate, which the annotations name")
    assert summary == ("list: finished; 2 of 2 rows done, 0 failed, 4 images, opened: 1 of 2, annotations: 1 of 1")
    assert "annotations" in run(file, "--report").stdout
    # The settings of others are replaced on request.
    (node.home / "imports" / "list" / "ledger-of-steps").unlink()
    assert "give --replace-annotations if that is right" in run(file, "--user", "demo").stdout
    assert "annotations: 1 of 1" in run(file, "--user", "demo", "--replace-annotations").stdout
    assert len(node.query("select * from tables")) == 1


def test_annotations_wait_until_all_is_imported(node: Node) -> None:
    file = put(node, *node.images("a.tiff", "broken.tiff"))
    (node.home / "list-annotation.csv").write_text("Dataset Name,Image Name\n")
    assert WAITING in run(file, "--user", "demo").stdout.splitlines()


def test_who_is_not_let_in_imports_nothing(node: Node) -> None:
    file = put(node, *node.images("a.tiff"))
    assert run(file).stderr == "error: nobody is logged in to OMERO for this import: give --user\n"
    assert run(file, "--user", "other").stderr == "error: OMERO does not let other in\n"
    assert node.counts() == {}


def test_it_is_stopped_and_ctrl_c_leaves_it_running(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    (node.home / "unit").unlink()  # nothing works on it
    file = put(node, *node.images("a.tiff"))

    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(time, "sleep", interrupt)
    left = run(file, "--user", "demo")
    assert (left.exit_code, left.stdout) == (75, "")
    assert "The import goes on at prod130-omeroreadwrite; --report shows how it is" in left.stderr
    assert run(file, "--report").stdout.endswith(
        "list: running; 0 of 1 rows done, 0 failed, 0 images, time left not known yet\n"
    )
    assert run(file, "--stop").stdout == "list: stopped; 0 of 1 rows done, 0 failed, 0 images\n"


@pytest.mark.parametrize(
    ("message", "why"),
    [
        ("sudo: a password is required", "your account may not import; idr:operators must give it the role curator"),
        (
            "sudo: /usr/local/bin/idr-import: command not found",
            "it takes no imports: either it is a demo, or `pulumi up`",
        ),
        ("Permission denied (publickey).", "the node accepts none of ssh's keys"),
        ("boom", "prod130-omeroreadwrite: boom"),
    ],
)
def test_what_the_node_refuses_is_explained(node: Node, message: str, why: str) -> None:
    (node.home / "says").write_text(message)
    done = run(put(node, *node.images("a.tiff")), "--check")
    assert done.exit_code == 1
    assert why in done.stderr


@pytest.mark.parametrize("mode", ["--report", "--stop"])
def test_an_import_that_nobody_began_is_an_error(node: Node, mode: str) -> None:
    file = put(node, *node.images("a.tiff"))
    done = run(file, mode, "--name", "other")
    message = "error: prod130-omeroreadwrite: there is no import other; its name is the list's, or that of --name\n"
    assert (done.exit_code, done.stdout, done.stderr) == (1, "", message)
    again = run(file, mode, "--name", "other", "--json")
    assert (again.exit_code, read(again)["state"], again.stderr) == (1, "unknown", message)
    assert not (node.home / "imports" / "other").exists()


def test_a_release_without_a_read_write_node_takes_none(node: Node) -> None:
    done = run(put(node, *node.images("a.tiff")), "--release", "other")
    assert done.stderr == "error: release other has no node with the role omero-readwrite, which imports\n"


def test_names_and_modes_that_cannot_be_are_refused(node: Node) -> None:
    file = put(node, *node.images("a.tiff"))
    assert "'../x' is no name of an import" in run(file, "--name", "../x").stderr
    assert run(file, "--check", "--stop").exit_code == 2
    assert shlex.join(remote.PROGRAM) == "sudo -n -u omero-import /usr/local/bin/idr-import"
