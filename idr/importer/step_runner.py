"""Run the steps that follow an import, each once: the ledger of steps records which are done."""

import json
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import IO

from . import command_line
from .beside import ANNOTATION, KEYS, RENDERING, shared
from .database import Database
from .import_folder import ImportFolder
from .ledger import DONE, FAILED, STARTED
from .steps import ANNOTATE, OPEN, RENDER, Step, grouped

FOREIGN_IMAGES = (
    "these images are {0}'s, and visitors do not see the rendering settings that {1} gives them: log in as {2} (--user)"
)
FOREIGN_ANNOTATIONS = (
    "{0} has annotations that this import did not make, and those beside the list would take their place: "
    "give --replace-annotations if that is right"
)
Run = Callable[[list[str], IO[str]], int]


class StepRunner:
    """Runs the steps of one import.

    `may_begin` returns whether another command may start. `step_ended` gets the error of a step, empty without one, and
    returns whether to record the result.
    """

    def __init__(
        self,
        folder: ImportFolder,
        database: Database,
        run: Run,
        may_begin: Callable[[], bool],
        step_ended: Callable[[str], bool],
    ) -> None:
        self._folder, self._database = folder, database
        self._run, self._may_begin, self._step_ended = run, may_begin, step_ended
        self._ledger = folder.ledger_of_steps()
        self._digests = folder.data.get("beside", {})

    @property
    def remaining(self) -> list[Step]:
        """The steps that are not done."""
        done = self._ledger.with_state(DONE)
        return [step for step in self._folder.steps if step.key not in done]

    def __call__(self) -> None:
        """Run the remaining steps. Raises DatabaseError."""
        remaining = self.remaining
        with ThreadPoolExecutor(self._folder.limits.parallel) as pool:
            list(pool.map(self._run_step, (step for step in remaining if step.kind == RENDER)))
            list(pool.map(self._open, grouped(step for step in remaining if step.kind == OPEN)))
        # One after another: two at once would create a shared annotation twice.
        for step in remaining:
            if step.kind == ANNOTATE:
                self._run_step(step)

    def _open(self, steps: Sequence[Step]) -> None:
        """Open the images of several steps in one process."""
        if not self._may_begin():
            return
        log = self._log(steps[0])
        begin = time.monotonic()
        for step in steps:
            self._ledger.record(step.key, STARTED, log=str(log))
        lines = log.with_suffix(".lines")
        lines.write_text(command_line.open_lines([one for step in steps for one in step.objects]))
        with log.open("w") as out:
            self._run(command_line.load_command(lines), out)
        for step in steps:
            why = command_line.open_failure(step, log)
            self._record(step, FAILED if why else DONE, why, log, begin)

    def _log(self, step: Step) -> Path:
        return self._folder.logs / f"{sha256(step.key.encode()).hexdigest()[:16]}.log"

    def _run_step(self, step: Step) -> None:
        if not self._may_begin():
            return
        log = self._log(step)
        lines = self._lines(step)
        if not lines:
            self._ledger.record(step.key, FAILED, why=FOREIGN_ANNOTATIONS.format(step.of))
            return
        self._ledger.record(step.key, STARTED, log=str(log))
        begin = time.monotonic()
        with log.open("w") as out:
            for line in lines:
                if not self._may_begin():
                    return
                status = self._run(line, out)
                out.flush()
                if command_line.has_failed(step.kind, status, log):
                    self._record(step, FAILED, command_line.cause(log), log, begin)
                    return
        why = self._unseen_settings(step, log)
        told = command_line.unmatched_rows(log) if step.kind == ANNOTATE else ""
        self._record(step, FAILED if why else DONE, why or told, log, begin)

    def _unseen_settings(self, step: Step, log: Path) -> str:
        """Why visitors do not see the rendering settings of a step: OMERO shows those of an image's owner."""
        user = command_line.user(log) if step.kind == RENDER else ""
        other = next((owner for owner in self._database.owners(step.objects) if owner != user), "") if user else ""
        return FOREIGN_IMAGES.format(other, user, other) if other else ""

    def _record(self, step: Step, state: str, why: str, log: Path, begin: float) -> None:
        if self._step_ended(why if state == FAILED else ""):
            seconds = round(time.monotonic() - begin, 3)
            self._ledger.record(step.key, state, seconds=seconds, why=why, log=str(log))

    def _lines(self, step: Step) -> list[list[str]]:
        """The command lines of a step; none if it would replace annotations of other origin."""
        if step.kind == RENDER:
            return [command_line.rendering_command(step.objects, self._folder.beside(RENDERING))]
        keys = self._folder.beside(KEYS) if KEYS in self._digests else None
        # Annotations of an interrupted run are deleted first. Otherwise they would exist twice.
        begun = self._ledger.begun
        is_own = any(key.startswith(f"{ANNOTATE} ") and key.endswith(f" {step.of}") for key in begun)
        is_annotated = is_own or self._database.is_annotated(step.of)
        if is_annotated and not (is_own or self._folder.data["replace"]):
            return []
        namespaces = shared(json.loads(keys.read_text())) if keys else []
        before = command_line.delete_annotations_commands(step.of, keys, namespaces) if is_annotated else []
        return before + command_line.annotate_commands(step.of, self._folder.beside(ANNOTATION), keys)
