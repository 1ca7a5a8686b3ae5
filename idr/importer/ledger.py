"""What has happened to each row of an import: a file that only grows, one JSON object a line.

A line is on the disk before what follows it begins. A machine that loses power may leave half of the last line, which
is then left out.
"""

import json
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

STARTED, DONE, FAILED = "started", "done", "failed"


@dataclass
class Outcome:
    """The last that the ledger says of a row; `filesets` and `plates` are OMERO's numbers.

    `before`: the filesets of its path that OMERO had when the row began.
    """

    state: str
    at: float = 0.0
    seconds: float = 0.0
    images: int = 0
    filesets: list[int] = field(default_factory=list)
    plates: list[int] = field(default_factory=list)
    before: list[int] = field(default_factory=list)
    why: str = ""
    log: str = ""


class Ledger:
    """The ledger of an import, in memory and in its file."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._one_at_a_time = threading.Lock()
        self.outcomes: dict[str, Outcome] = {}
        self.begun: dict[str, list[int]] = {}
        """The rows that ever began, with what OMERO had of each before that."""
        self.durations: list[float] = []
        for entry in _entries(file):
            self._note(entry)

    def tell(self, path: str, state: str, **about: Any) -> None:
        """Write what happened to a row, and return when the disk has it."""
        entry = {"path": path, "state": state, "at": round(time.time(), 3), **about}
        with self._one_at_a_time, self._file.open("a") as out:
            # A line cut off by a crash ends here, so that this one can be read.
            out.write(("" if _is_whole(self._file) else "\n") + json.dumps(entry) + "\n")
            out.flush()
            os.fsync(out.fileno())
            self._note(entry)

    def with_state(self, state: str) -> set[str]:
        """The paths whose last state is this."""
        return {path for path, outcome in self.outcomes.items() if outcome.state == state}

    def _note(self, entry: dict[str, Any]) -> None:
        outcome = Outcome(**{name: value for name, value in entry.items() if name != "path"})
        self.outcomes[entry["path"]] = outcome
        if outcome.state == STARTED:
            self.begun.setdefault(entry["path"], outcome.before)
        if outcome.state == DONE and outcome.seconds:
            self.durations.append(outcome.seconds)


def _entries(file: Path) -> Iterator[dict[str, Any]]:
    if not file.exists():
        return
    with file.open(errors="replace") as lines:
        for line in lines:
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            if isinstance(entry, dict):
                yield entry


def _is_whole(file: Path) -> bool:
    if not file.exists() or not file.stat().st_size:
        return True
    with file.open("rb") as content:
        content.seek(-1, os.SEEK_END)
        return content.read() == b"\n"
