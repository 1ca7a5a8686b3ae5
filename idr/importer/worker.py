"""Run one import: reconcile the ledger with the database, import rows, then run the steps that follow."""

import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import IO

from . import command_line, limits
from .database import Database, DatabaseError, Known
from .import_folder import ImportFolder, Settings, without_session
from .ledger import DONE, FAILED, STARTED
from .schedule import Sized, following, ordered
from .step_runner import StepRunner
from .steps import steps

GIVE_UP = 10
"""After so many failures in a row the import halts: the cause is then hardly the rows."""
PATIENCE_SECONDS, PAUSE_SECONDS = 600.0, 20.0
"""How long to wait for OMERO.server. It starts within minutes after a boot or a change of its configuration."""
LOOK_SECONDS = 30.0
DISKS = ("/", "/data")
TURN_SECONDS = 1.0
FOREIGN_FILESET = (
    "OMERO has Fileset:{} of this path without images, which this import did not make: if nobody imports it now, run "
    "`omero delete Fileset:{}`, and import again"
)


class Worker:
    """One run of one import."""

    def __init__(
        self, folder: ImportFolder, settings: Settings, database: Database, report: Callable[[str], None]
    ) -> None:
        self._folder, self._settings, self._database, self._report = folder, settings, database, report
        self._ledger = folder.ledger()
        self._looks = folder.looks
        self._halted = ""
        self._stopping = False
        self._stamp = folder.stamp
        self._streak = 0
        self._looked = -LOOK_SECONDS
        self._existing: set[str] = set()
        self._known: dict[str, Known] = {}

    def __call__(self) -> bool:
        """Import the remaining rows. Return whether another import may start.

        A fault of the node or of OMERO halts the import. After SIGTERM the running importers end first.
        """
        signal.signal(signal.SIGTERM, self._stop)
        try:
            self._import(self._reconciled())
            if not self._halted and not self._stopping and self._is_still_queued():
                self._follow()
        except (DatabaseError, OSError) as error:
            self._halted = str(error)
        if self._halted:
            self._report(f"{self._folder.name}: halted: {self._halted}")
            self._folder.halt(self._halted)
        elif not self._stopping and self._is_still_queued():
            self._report(f"{self._folder.name}: finished")
            self._folder.run.unlink(missing_ok=True)
            self._run(command_line.logout_command(), self._folder.environment)
        return not self._stopping

    def _stop(self, *_: object) -> None:
        self._stopping = True

    def _reconciled(self) -> list[Sized]:
        """Update the ledger from the database, and return the remaining rows in order. Raises DatabaseError."""
        rows = self._folder.rows
        done = self._still_done()
        remaining = [row for row in rows if row.path not in done]
        self._known = self._database.known({row.path: self._looks[row.path].folder for row in remaining})
        # Without a session no fileset can be deleted or imported.
        if not remaining or not self._has_session():
            return []
        remaining = [row for row in remaining if self._must_import(row.path, self._known.get(row.path, Known()))]
        done = self._ledger.with_state(DONE) - {row.path for row in remaining}
        self._existing = set(chain.from_iterable(row.new_objects() for row in rows if row.path in done))
        sizes = {path: (look.size, look.mount) for path, look in self._looks.items()}
        return ordered(remaining, sizes, self._ledger.with_state(FAILED))

    def _still_done(self) -> set[str]:
        """The rows that are done and whose images still exist. Raises DatabaseError."""
        filesets = self._filesets_of_done()
        contents = self._database.contents(chain.from_iterable(filesets.values()))
        return {path for path, numbers in filesets.items() if any(fileset in contents for fileset in numbers)}

    def _filesets_of_done(self) -> dict[str, list[int]]:
        """The filesets of each row that is done according to the ledger, by path, in the list's order."""
        done = self._ledger.with_state(DONE)
        return {row.path: self._ledger.outcomes[row.path].filesets for row in self._folder.rows if row.path in done}

    def _must_import(self, path: str, known: Known) -> bool:
        """Delete what an interrupted importer left of a row, and return whether to import the row."""
        # A folder may have files that are not imported yet: the importer skips the others.
        if known.images and not self._looks[path].folder:
            self._done(path, known, 0.0)
            return False
        if known.empty and path not in self._ledger.begun:
            self._ledger.record(path, FAILED, why=FOREIGN_FILESET.format(known.empty[0], known.empty[0]))
            return False
        for fileset in known.empty:
            self._omero(command_line.delete_command(fileset))
        return True

    def _import(self, waiting: list[Sized]) -> None:
        running: dict[Future[None], Sized] = {}
        with ThreadPoolExecutor(self._folder.limits.parallel) as pool:
            while running or (waiting and self._may_begin()):
                for one in self._startable(waiting, running):
                    waiting.remove(one)
                    running[pool.submit(self._import_row, one)] = one
                ended, _ = wait(running, TURN_SECONDS, FIRST_COMPLETED)
                for future in ended:
                    del running[future]
                    future.result()

    def _startable(self, waiting: list[Sized], running: dict[Future[None], Sized]) -> Iterator[Sized]:
        """Yield rows that may start now. The caller starts each before it takes the next."""
        while self._may_begin() and (not running or limits.has_memory()):
            one = following(waiting, running.values(), self._folder.limits, self._existing)
            if one is None:
                return
            yield one

    def _may_begin(self) -> bool:
        if self._stopping or self._halted or not self._is_still_queued():
            return False
        if time.monotonic() - self._looked > LOOK_SECONDS:
            self._looked = time.monotonic()
            # A thread may have set another reason meanwhile.
            self._halted = "; ".join(self._shortages()) or self._halted
        return not self._halted

    def _is_still_queued(self) -> bool:
        """Whether this list is still queued: nobody has stopped the import or queued another list."""
        return self._folder.is_queued and self._folder.stamp == self._stamp

    def _shortages(self) -> Iterator[str]:
        yield from limits.full(DISKS)
        try:
            yield from limits.database_full(self._database.size(), self._settings.database_gib)
        except DatabaseError as error:
            yield str(error)

    def _follow(self) -> None:
        """Run the steps that follow for the imported rows. Raises DatabaseError."""
        filesets = self._filesets_of_done()
        contents = self._database.contents(chain.from_iterable(filesets.values()))
        digests = self._folder.data.get("beside", {})
        all_imported = len(filesets) == len(self._folder.rows)
        self._folder.steps = list(steps(filesets, self._ledger.begun, contents, digests, all_imported=all_imported))
        runner = StepRunner(self._folder, self._database, self._omero, self._may_begin, self._step_ended)
        if runner.remaining and self._has_session():
            self._streak = 0
            runner()

    def _step_ended(self, why: str) -> bool:
        if not why:
            self._streak = 0
            return True
        if self._stopping or self._halted or not self._has_session():
            return False
        self._count(f"{GIVE_UP} steps in a row failed, the last one: {why}")
        return True

    def _import_row(self, one: Sized) -> None:
        """Import a row, and record the result."""
        path = one.row.path
        log = self._folder.logs / sha256(path.encode()).hexdigest()[:16]
        out, err = log.with_suffix(".out"), log.with_suffix(".err")
        was_begun = path in self._ledger.begun
        self._ledger.record(path, STARTED, log=str(err), before=self._known.get(path, Known()).filesets)
        start = time.monotonic()
        with out.open("w") as to_out, err.open("w") as to_err:
            status = self._omero(command_line.import_command(one.row), to_out, to_err)
        seconds = round(time.monotonic() - start, 3)
        ended = command_line.parse_output(status, out)
        if status == 0 and ended.filesets:
            self._existing.update(one.row.new_objects())
        # A row that is imported again may have more filesets than this importer has created.
        if status == 0 and ended.filesets and not was_begun:
            self._done(path, Known(list(ended.filesets), ended.images), seconds, plates=list(ended.plates))
        elif not self._stopping and not self._halted:
            self._judge(one, ended, seconds, err)

    def _judge(self, one: Sized, ended: command_line.Result, seconds: float, err: Path) -> None:
        """Record the result of a row whose importer failed or may have created only a part, from the database."""
        path = one.row.path
        try:
            known = self._database.known({path: self._looks[path].folder}).get(path, Known())
        except DatabaseError as error:
            self._halted = str(error)
            return
        if known.images and (ended.status == 0 or not self._looks[path].folder):
            why = command_line.cause(err) if ended.status else ""
            self._done(path, known, seconds, why=why, plates=list(ended.plates))
        elif self._has_session():
            why = command_line.cause(err)
            self._failed(path, seconds, why if ended.status else f"the importer made nothing: {why}", str(err))

    def _done(self, path: str, known: Known, seconds: float, **about: object) -> None:
        self._streak = 0
        self._ledger.record(path, DONE, filesets=known.filesets, images=known.images, seconds=seconds, **about)

    def _failed(self, path: str, seconds: float, why: str, log: str) -> None:
        self._ledger.record(path, FAILED, seconds=seconds, why=why, log=log)
        self._count(f"{GIVE_UP} rows in a row failed, the last one: {why}")

    def _count(self, too_many: str) -> None:
        self._streak += 1
        if self._streak >= GIVE_UP:
            self._halted = too_many

    def _has_session(self) -> bool:
        """Whether the session is alive. Waits for OMERO.server while it restarts."""
        session_command = command_line.session_command()
        end = time.monotonic() + PATIENCE_SECONDS
        while self._omero(session_command):
            # Checked again: OMERO.server may have started meanwhile.
            if self._answers() and self._omero(session_command):
                self._halted = "the session has ended: run the same command again"
                return False
            if self._stopping or time.monotonic() > end:
                self._halted = "OMERO.server does not answer: run the same command again when it does"
                return False
            time.sleep(PAUSE_SECONDS)
        return True

    def _answers(self) -> bool:
        with without_session() as environment:
            return self._run(command_line.guest_login_command(self._settings.address), environment) == 0

    def _omero(self, words: list[str], out: IO[str] | None = None, err: IO[str] | None = None) -> int:
        with self._folder.in_session() as environment:
            return self._run(words, environment, out, err)

    def _run(
        self, words: list[str], environment: dict[str, str], out: IO[str] | None = None, err: IO[str] | None = None
    ) -> int:
        done = subprocess.run(
            words,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=out or subprocess.DEVNULL,
            stderr=err or (subprocess.STDOUT if out else subprocess.DEVNULL),
            check=False,
        )
        return done.returncode
