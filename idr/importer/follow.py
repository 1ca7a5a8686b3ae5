"""Does what follows an import, each step once: the ledger of steps says which are done."""

import json
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import IO

from . import command_line
from .after import ANNOTATE, OPEN, RENDER, Step, together
from .beside import ANNOTATION, KEYS, RENDERING, shared
from .import_folder import ImportFolder
from .ledger import DONE, FAILED, STARTED
from .truth import Database

NOT_OURS = (
    "{0} has annotations that this import did not make, and those beside the list would take their place: "
    "give --replace-annotations if that is right"
)
NOT_THEIRS = (
    "these images are {0}'s, and visitors do not see the rendering settings that {1} gives them: log in as {2} (--user)"
)
Run = Callable[[list[str], IO[str]], int]


class Follower:
    """The steps of one import.

    `may_begin`: whether another command may begin. `ended` gets why a step failed, empty for one that has not, and
    says whether the ledger is to have it so.
    """

    def __init__(
        self,
        folder: ImportFolder,
        database: Database,
        run: Run,
        may_begin: Callable[[], bool],
        ended: Callable[[str], bool],
    ) -> None:
        self._folder, self._database = folder, database
        self._run, self._may_begin, self._ended = run, may_begin, ended
        self._ledger = folder.ledger_of_steps()
        self._digests = folder.data.get("beside", {})

    @property
    def left(self) -> list[Step]:
        """The steps that are not done."""
        done = self._ledger.with_state(DONE)
        return [step for step in self._folder.steps if step.key not in done]

    def __call__(self) -> None:
        """Do what is left. Raises TruthError."""
        left = self.left
        with ThreadPoolExecutor(self._folder.limits.parallel) as pool:
            list(pool.map(self._one, (step for step in left if step.kind == RENDER)))
            list(pool.map(self._open, together(step for step in left if step.kind == OPEN)))
        # One after another: two at once would make an annotation that they share twice.
        for step in left:
            if step.kind == ANNOTATE:
                self._one(step)

    def _open(self, steps: Sequence[Step]) -> None:
        """Open what some rows have become, by one process."""
        if not self._may_begin():
            return
        log = self._log(steps[0])
        begin = time.monotonic()
        for step in steps:
            self._ledger.tell(step.key, STARTED, log=str(log))
        lines = log.with_suffix(".lines")
        lines.write_text(command_line.opening([one for step in steps for one in step.objects]))
        with log.open("w") as out:
            self._run(command_line.loading(lines), out)
        for step in steps:
            why = command_line.unopened(step, log)
            self._tell(step, FAILED if why else DONE, why, log, begin)

    def _log(self, step: Step) -> Path:
        return self._folder.logs / f"{sha256(step.key.encode()).hexdigest()[:16]}.log"

    def _one(self, step: Step) -> None:
        if not self._may_begin():
            return
        log = self._log(step)
        lines = self._lines(step)
        if not lines:
            self._ledger.tell(step.key, FAILED, why=NOT_OURS.format(step.of))
            return
        self._ledger.tell(step.key, STARTED, log=str(log))
        begin = time.monotonic()
        with log.open("w") as out:
            for line in lines:
                if not self._may_begin():
                    return
                status = self._run(line, out)
                out.flush()
                if command_line.has_failed(step.kind, status, log):
                    self._tell(step, FAILED, command_line.cause(log), log, begin)
                    return
        why = self._unsaved(step, log)
        told = command_line.left_out(log) if step.kind == ANNOTATE else ""
        self._tell(step, FAILED if why else DONE, why or told, log, begin)

    def _unsaved(self, step: Step, log: Path) -> str:
        """Why visitors do not see the settings of a step: OMERO shows those of an image's owner, and takes all."""
        user = command_line.user(log) if step.kind == RENDER else ""
        other = next((owner for owner in self._database.owners(step.objects) if owner != user), "") if user else ""
        return NOT_THEIRS.format(other, user, other) if other else ""

    def _tell(self, step: Step, state: str, why: str, log: Path, begin: float) -> None:
        if self._ended(why if state == FAILED else ""):
            seconds = round(time.monotonic() - begin, 3)
            self._ledger.tell(step.key, state, seconds=seconds, why=why, log=str(log))

    def _lines(self, step: Step) -> list[list[str]]:
        """The command lines of a step; none where it would replace what somebody else has made."""
        if step.kind == RENDER:
            return [command_line.rendering(step.objects, self._folder.beside(RENDERING))]
        keys = self._folder.beside(KEYS) if KEYS in self._digests else None
        # What a run that was cut off has made of them is there twice otherwise.
        begun = self._ledger.begun
        is_ours = any(key.startswith(f"{ANNOTATE} ") and key.endswith(f" {step.of}") for key in begun)
        is_there = is_ours or self._database.is_annotated(step.of)
        if is_there and not (is_ours or self._folder.data["replace"]):
            return []
        namespaces = shared(json.loads(keys.read_text())) if keys else []
        before = command_line.unannotating(step.of, keys, namespaces) if is_there else []
        return before + command_line.annotating(step.of, self._folder.beside(ANNOTATION), keys)
