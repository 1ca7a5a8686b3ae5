"""A read-write node for tests of `idr.importer`: images, imports, and stand-ins for OMERO and psql."""

import io
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import module_from_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from harness.stacks import ROOT
from idr.importer import limits, worker
from idr.importer.beside import Beside
from idr.importer.checks import check
from idr.importer.database import Database
from idr.importer.import_folder import ImportFolder, Settings
from idr.importer.report import report
from idr.importer.rows import Row
from idr.importer.schedule import Limits
from tests.waiting import wait_until

PROGRAMS = Path(__file__).with_name("programs")
SCHEMA = """
create table filesets (id integer primary key autoincrement, path text);
create table images (id integer primary key, fileset integer);
create table targets (id integer primary key, name text);
create table within (fileset integer, container text);
create table tables (id integer primary key autoincrement, container text, content text);
create table annotations (id integer primary key autoincrement, container text, content text);
create table settings (object text, content text);
create table opened (object text, process integer);
"""
WORK = """
import sys
from pathlib import Path
from idr.importer import worker
from idr.importer.import_folder import ImportFolder, Settings
from idr.importer.database import Database
from tests.unit.importer import node
home = Path(sys.argv[1])
if sys.argv[2] == "inside":
    worker.subprocess = node.omero_inside()
worker.TURN_SECONDS = 0.05
worker.PATIENCE_SECONDS, worker.PAUSE_SECONDS = float(sys.argv[3]), 0.1
worker.DISKS = (str(home),)
worker.limits.has_memory = lambda: True
settings = Settings("192.0.2.1", (), (str(home),), "dbname=idr", 10)
worker.Worker(ImportFolder("list", home / "imports"), settings, Database("dbname=idr", home / "password"), print)()
"""
SECONDS = 120.0


@dataclass(frozen=True)
class Node:
    """The node below a folder."""

    home: Path

    @classmethod
    def make(cls, home: Path) -> "Node":
        """Make an empty node where a user is logged in to OMERO."""
        node = cls(home)
        (home / "images").mkdir()
        (home / "password").write_text("secret\n")
        with sqlite3.connect(home / "database") as database:
            database.execute("pragma journal_mode = wal")
            database.executescript(SCHEMA)
        node.import_folder.create()
        node.log_in()
        return node

    @property
    def import_folder(self) -> ImportFolder:
        """Return the folder of the tests' import."""
        return ImportFolder("list", self.home / "imports")

    def log_in(self) -> None:
        """Start a session."""
        (self.import_folder.sessions / "alive").touch()

    def images(self, *names: str) -> list[str]:
        """Make files to import."""
        paths = [self.home / "images" / name for name in names]
        for path in paths:
            path.write_text("pixels")
            os.utime(path, (1, 1))
        return [str(path) for path in paths]

    def queue(
        self, rows: Sequence[Row], parallel: int = 4, beside: Mapping[str, Any] = {}, *, replace: bool = False
    ) -> None:
        """Check a list, and ask for its import."""
        checked = check(rows, (), (str(self.home),))
        assert checked.faults == {}
        self.import_folder.queue(rows, checked.good, Limits(parallel, parallel), Beside.of(beside), replace=replace)

    def start(self, way: str = "processes", patience: float = 0) -> "subprocess.Popen[str]":
        """Start the worker. If `inside`, importers are threads that end with it, which is faster."""
        return subprocess.Popen(
            [sys.executable, "-c", WORK, str(self.home), way, str(patience)],
            cwd=ROOT,
            env=os.environ | self.environment,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def work(self, way: str = "inside") -> str:
        """Let the worker run to its end, in this process; return its messages. For `way` see `start`."""
        messages: list[str] = []
        settings = Settings("192.0.2.1", (), (str(self.home),), "dbname=idr", 10)
        database = Database("dbname=idr", self.home / "password")
        before = signal.getsignal(signal.SIGTERM)
        try:
            with self.played(way):
                worker.Worker(self.import_folder, settings, database, messages.append)()
        finally:
            signal.signal(signal.SIGTERM, before)
        return "".join(f"{line}\n" for line in messages)

    @contextmanager
    def played(self, way: str = "inside") -> Iterator[None]:
        """Put stand-ins for OMERO and psql on PATH, and let the worker wait only briefly for them."""
        constants: dict[str, Any] = {
            "TURN_SECONDS": 0.05,
            "PATIENCE_SECONDS": 0,
            "PAUSE_SECONDS": 0.1,
            "DISKS": (str(self.home),),
        }
        with (
            patch.dict(os.environ, self.environment),
            patch.multiple(worker, **constants),
            patch.object(limits, "has_memory", lambda: True),
            patch.object(worker, "subprocess", omero_inside() if way == "inside" else subprocess),
        ):
            yield

    @property
    def environment(self) -> dict[str, str]:
        """Return the environment with the stand-ins for OMERO and psql."""
        return {"PATH": f"{PROGRAMS}:{os.environ['PATH']}", "STAND_IN": str(self.home)}

    def kill(self, worker: "subprocess.Popen[str]", number: signal.Signals = signal.SIGKILL) -> None:
        """Kill the worker, and with SIGKILL its importers, as systemd and a reboot do."""
        if number == signal.SIGKILL:
            os.killpg(worker.pid, number)
        else:
            worker.send_signal(number)
        worker.communicate(timeout=SECONDS)

    def report(self) -> dict[str, Any]:
        """Return the report of the import."""
        return report(self.import_folder)

    def query(self, sql: str, *values: str) -> list[tuple[Any, ...]]:
        """Return the answer of OMERO's database."""
        with sqlite3.connect(self.home / "database", timeout=60) as database:
            return database.execute(sql, values).fetchall()

    def counts(self) -> dict[str, tuple[int, int]]:
        """Return the number of filesets and of images that OMERO has of each path."""
        sql = "select f.path, count(distinct f.id), count(i.id) from filesets f left join images i on i.fileset = f.id"
        return {f"/{path}": (filesets, images) for path, filesets, images in self.query(f"{sql} group by 1")}


def omero_inside() -> SimpleNamespace:
    """Replace `subprocess` of the worker: the stand-in for OMERO runs in this process."""
    loader = SourceFileLoader("omero_stand_in", str(PROGRAMS / "omero"))
    omero = module_from_spec(ModuleSpec("omero_stand_in", loader))
    loader.exec_module(omero)

    def run(words: Sequence[str], env: Mapping[str, str], stdout: Any, stderr: Any, **_: Any) -> SimpleNamespace:
        out = io.StringIO() if isinstance(stdout, int) else stdout
        err = out if stderr == subprocess.STDOUT else io.StringIO() if isinstance(stderr, int) else stderr
        return SimpleNamespace(returncode=omero.main(words[1:], env["OMERO_SESSIONDIR"], out, err))

    return SimpleNamespace(run=run, DEVNULL=subprocess.DEVNULL, STDOUT=subprocess.STDOUT)


def until(condition: Callable[[], bool]) -> None:
    """Wait until a condition is true."""
    wait_until(condition, SECONDS, pause=0.02)
