"""`idr-import` on the node, as `idr import` and the unit call it."""

import fcntl
import io
import json
import os
import re
import signal
import sys
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from harness.stacks import ROOT
from idr.importer import __main__ as program
from idr.importer.import_folder import ImportFolder
from tests.unit.importer.node import Node


@pytest.fixture(autouse=True)
def _process() -> Iterator[None]:
    """Undo what the program does to its process."""
    handler, umask = signal.getsignal(signal.SIGTERM), os.umask(0o022)
    os.umask(umask)
    yield
    signal.signal(signal.SIGTERM, handler)
    os.umask(umask)


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Node]:
    import_node = Node.make(tmp_path)
    settings = {"address": "192.0.2.1", "mounts": [], "folders": [str(tmp_path)], "connection": "x", "database_gib": 10}
    (tmp_path / "settings").write_text(json.dumps(settings))
    for name in ("imports", "settings", "password"):
        monkeypatch.setattr(program, name.upper(), tmp_path / name)
    with import_node.played():
        yield import_node


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Pass a list on standard input, whole for `queue`, or its rows alone for `check`."""

    def give(*paths: str, only_rows: bool = False, **options: Any) -> None:
        rows = [{"path": path, "options": options} for path in paths]
        content = rows if only_rows else {"rows": rows, "beside": {}}
        monkeypatch.setattr(sys, "stdin", io.StringIO(json.dumps(content)))

    return give


def test_a_list_is_checked_queued_and_imported(node: Node, given: Any, capsys: pytest.CaptureFixture[str]) -> None:
    paths = node.images("a.tiff", "broken.tiff")
    given(*paths, only_rows=True)
    assert program.main(["check"]) == 0
    assert json.loads(capsys.readouterr().out) == {"faults": {}}
    assert program.main(["login", "list", "demo", "public"]) == 0
    assert program.main(["session", "list"]) == 0
    given(*paths)
    assert program.main(["queue", "list", "2", "1"]) == 0
    given(*paths)
    assert program.main(["queue", "list", "2", "1"]) == 1
    assert capsys.readouterr().err == "list is being imported: wait, or stop it first\n"
    assert program.main(["work"]) == 0
    assert capsys.readouterr().out == "list: finished\n"
    assert program.main(["report", "list"]) == 0
    about = json.loads(capsys.readouterr().out)
    assert (about["state"], about["done"], about["failed"]) == ("finished", 1, 1)
    assert program.main(["log", "list", about["each"][1]["path"]]) == 0
    assert "Caused by: loci.formats.FormatException" in capsys.readouterr().out
    for name in ("list", "other"):
        assert program.main(["log", name, "/no/such/row"]) == 1
        assert capsys.readouterr().err == f"the import {name} has no log of /no/such/row\n"


def test_what_has_faults_is_not_queued(node: Node, given: Any, capsys: pytest.CaptureFixture[str]) -> None:
    given("/elsewhere")
    assert program.main(["queue", "list", "1", "1"]) == 1
    assert "not queued, since paths have faults: " in capsys.readouterr().err
    assert not node.import_folder.is_queued


@pytest.mark.parametrize("options", [{"clientdir": "/x"}, {"skip": ["everything"]}])
def test_options_that_a_list_cannot_have_are_refused_here_too(node: Node, given: Any, options: dict[str, Any]) -> None:
    given(*node.images("a.tiff"), **options)
    assert program.main(["queue", "list", "1", "1"]) == 1
    assert not node.import_folder.is_queued


def test_it_is_stopped_before_it_begins(node: Node, given: Any) -> None:
    given(*node.images("a.tiff"))
    program.main(["queue", "list", "1", "1"])
    assert program.main(["stop", "list"]) == 0
    assert program.main(["work"]) == 0
    assert node.counts() == {}


@pytest.mark.parametrize(
    ("words", "status"),
    [([], 2), (["other"], 2), (["report"], 2), (["report", "../x"], 1), (["session", "unknown"], 1)],
)
def test_wrong_usage_changes_nothing(node: Node, words: list[str], status: int) -> None:
    assert program.main(words) == status
    assert [path.name for path in node.import_folder.folder.parent.iterdir()] == ["list"]


def test_two_workers_do_not_run_at_once(node: Node, given: Any) -> None:
    given(*node.images("a.tiff"))
    program.main(["queue", "list", "1", "1"])
    with (program.IMPORTS / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert program.main(["work"]) == 1
    assert node.counts() == {}


def test_systemd_notices_that_an_import_is_asked_for() -> None:
    """The unit watches only the folder before the first wildcard: a file further below would start no import."""
    unit = ROOT / "cloudinit/omero-readwrite/files/etc/systemd/system/idr-import.path"
    (pattern,) = re.findall(r"^PathExistsGlob=(.*)$", unit.read_text(), re.MULTILINE)
    asked_for = ImportFolder("a.list", program.IMPORTS).run
    assert fnmatchcase(str(asked_for), pattern)
    assert str(asked_for.parent) == pattern.rpartition("/")[0]
    assert "*" not in str(asked_for.parent)
