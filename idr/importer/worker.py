"""Runs one import to its end: reconciles the ledger with the database, imports rows, then does what follows."""

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
from .after import steps
from .follow import Follower
from .import_folder import ImportFolder, Settings, without_session
from .ledger import DONE, FAILED, STARTED
from .schedule import Sized, following, ordered
from .truth import Database, Known, TruthError

GIVE_UP = 10
"""Rows that fail one after another: then something is wrong that is no row's fault."""
PATIENCE_SECONDS, PAUSE_SECONDS = 600.0, 20.0
"""OMERO.server starts within minutes, after a boot of the node as well as after a change of its configuration."""
LOOK_SECONDS = 30.0
DISKS = ("/", "/data")
TURN_SECONDS = 1.0
OURS_NOT = (
    "OMERO has Fileset:{} of this path without images, which this import did not make: if nobody imports it now, run "
    "`omero delete Fileset:{}`, and import again"
)


class Worker:
    """One run of one import."""

    def __init__(
        self, folder: ImportFolder, settings: Settings, database: Database, report: Callable[[str], None]
    ) -> None:
        self._folder, self._settings, self._database, self._said = folder, settings, database, report
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
        """Import what is left; whether another import may begin.

        It ends before, when the node or OMERO has a fault. After SIGTERM it lets the running importers end.
        """
        signal.signal(signal.SIGTERM, self._stop)
        try:
            self._import(self._reconciled())
            if not self._halted and not self._stopping and self._is_wanted():
                self._follow()
        except (TruthError, OSError) as error:
            self._halted = str(error)
        if self._halted:
            self._said(f"{self._folder.name}: halted: {self._halted}")
            self._folder.halt(self._halted)
        elif not self._stopping and self._is_wanted():
            self._said(f"{self._folder.name}: finished")
            self._folder.run.unlink(missing_ok=True)
            self._run(command_line.logging_out(), self._folder.environment)
        return not self._stopping

    def _stop(self, *_: object) -> None:
        self._stopping = True

    def _reconciled(self) -> list[Sized]:
        """The rows that are left, in order, after the ledger has what the database says. Raises TruthError."""
        rows = self._folder.rows
        done = self._still_done()
        left = [row for row in rows if row.path not in done]
        self._known = self._database.known({row.path: self._looks[row.path].folder for row in left})
        # Only with a session can what was cut off be removed, and anything be imported.
        if not left or not self._has_session():
            return []
        left = [row for row in left if self._is_left(row.path, self._known.get(row.path, Known()))]
        done = self._ledger.with_state(DONE) - {row.path for row in left}
        self._existing = set(chain.from_iterable(row.new_objects() for row in rows if row.path in done))
        sizes = {path: (look.size, look.mount) for path, look in self._looks.items()}
        return ordered(left, sizes, self._ledger.with_state(FAILED))

    def _still_done(self) -> set[str]:
        """The rows that are done, but for those whose images somebody has deleted since. Raises TruthError."""
        filesets = self._filesets_of_done()
        made = self._database.made(chain.from_iterable(filesets.values()))
        return {path for path, numbers in filesets.items() if any(fileset in made for fileset in numbers)}

    def _filesets_of_done(self) -> dict[str, list[int]]:
        """The numbers of the filesets of each row that the ledger calls done, by path, in the list's order."""
        done = self._ledger.with_state(DONE)
        return {row.path: self._ledger.outcomes[row.path].filesets for row in self._folder.rows if row.path in done}

    def _is_left(self, path: str, known: Known) -> bool:
        """Whether to import a row, after what an importer that was cut off left of it has been removed."""
        # A folder may hold more that is not imported yet: the importer leaves out what is.
        if known.images and not self._looks[path].folder:
            self._done(path, known, 0.0)
            return False
        if known.empty and path not in self._ledger.begun:
            self._ledger.tell(path, FAILED, why=OURS_NOT.format(known.empty[0], known.empty[0]))
            return False
        for fileset in known.empty:
            self._omero(command_line.deleting(fileset))
        return True

    def _import(self, waiting: list[Sized]) -> None:
        running: dict[Future[None], Sized] = {}
        with ThreadPoolExecutor(self._folder.limits.parallel) as pool:
            while running or (waiting and self._may_begin()):
                for one in self._beginning(waiting, running):
                    waiting.remove(one)
                    running[pool.submit(self._one, one)] = one
                ended, _ = wait(running, TURN_SECONDS, FIRST_COMPLETED)
                for future in ended:
                    del running[future]
                    future.result()

    def _beginning(self, waiting: list[Sized], running: dict[Future[None], Sized]) -> Iterator[Sized]:
        """Yield rows that may begin now; the caller takes each before it asks for the next."""
        while self._may_begin() and (not running or limits.has_memory()):
            one = following(waiting, running.values(), self._folder.limits, self._existing)
            if one is None:
                return
            yield one

    def _may_begin(self) -> bool:
        if self._stopping or self._halted or not self._is_wanted():
            return False
        if time.monotonic() - self._looked > LOOK_SECONDS:
            self._looked = time.monotonic()
            # A thread may have found another reason meanwhile.
            self._halted = "; ".join(self._shortages()) or self._halted
        return not self._halted

    def _is_wanted(self) -> bool:
        """Whether this list shall still be imported: nobody has stopped it or queued another one."""
        return self._folder.is_wanted and self._folder.stamp == self._stamp

    def _shortages(self) -> Iterator[str]:
        yield from limits.full(DISKS)
        try:
            yield from limits.database_full(self._database.size(), self._settings.database_gib)
        except TruthError as error:
            yield str(error)

    def _follow(self) -> None:
        """Do what follows for the rows that are imported. Raises TruthError."""
        filesets = self._filesets_of_done()
        made = self._database.made(chain.from_iterable(filesets.values()))
        digests = self._folder.data.get("beside", {})
        whole = len(filesets) == len(self._folder.rows)
        self._folder.steps = list(steps(filesets, self._ledger.begun, made, digests, whole=whole))
        follower = Follower(self._folder, self._database, self._omero, self._may_begin, self._step_ended)
        if follower.left and self._has_session():
            self._streak = 0
            follower()

    def _step_ended(self, why: str) -> bool:
        if not why:
            self._streak = 0
            return True
        if self._stopping or self._halted or not self._has_session():
            return False
        self._count(f"{GIVE_UP} steps in a row failed, the last one: {why}")
        return True

    def _one(self, one: Sized) -> None:
        """Import a row, and note how it ended."""
        path = one.row.path
        log = self._folder.logs / sha256(path.encode()).hexdigest()[:16]
        out, err = log.with_suffix(".out"), log.with_suffix(".err")
        was_begun = path in self._ledger.begun
        self._ledger.tell(path, STARTED, log=str(err), before=self._known.get(path, Known()).filesets)
        begin = time.monotonic()
        with out.open("w") as to_out, err.open("w") as to_err:
            status = self._omero(command_line.importing(one.row), to_out, to_err)
        seconds = round(time.monotonic() - begin, 3)
        ended = command_line.ended(status, out)
        if status == 0 and ended.filesets:
            self._existing.update(one.row.new_objects())
        # What is imported again may have more filesets than this importer has made.
        if status == 0 and ended.filesets and not was_begun:
            self._done(path, Known(list(ended.filesets), ended.images), seconds, plates=list(ended.plates))
        elif not self._stopping and not self._halted:
            self._judge(one, ended, seconds, err)

    def _judge(self, one: Sized, ended: command_line.Ended, seconds: float, err: Path) -> None:
        """Note how a row ended whose importer failed or has not made it all: the database says what there is."""
        path = one.row.path
        try:
            known = self._database.known({path: self._looks[path].folder}).get(path, Known())
        except TruthError as error:
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
        self._ledger.tell(path, DONE, filesets=known.filesets, images=known.images, seconds=seconds, **about)

    def _failed(self, path: str, seconds: float, why: str, log: str) -> None:
        self._ledger.tell(path, FAILED, seconds=seconds, why=why, log=log)
        self._count(f"{GIVE_UP} rows in a row failed, the last one: {why}")

    def _count(self, too_many: str) -> None:
        self._streak += 1
        if self._streak >= GIVE_UP:
            self._halted = too_many

    def _has_session(self) -> bool:
        """Whether OMERO.server answers, soon or after it has started again, and knows who imports."""
        asking = command_line.asking_for_the_session()
        end = time.monotonic() + PATIENCE_SECONDS
        while self._omero(asking):
            # Asked again: it may have started meanwhile.
            if self._answers() and self._omero(asking):
                self._halted = "the session has ended: run the same command again"
                return False
            if self._stopping or time.monotonic() > end:
                self._halted = "OMERO.server does not answer: run the same command again when it does"
                return False
            time.sleep(PAUSE_SECONDS)
        return True

    def _answers(self) -> bool:
        with without_session() as environment:
            return self._run(command_line.entering_as_guest(self._settings.address), environment) == 0

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
