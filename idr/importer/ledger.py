"""The ledger: the history of each row of an import, in a file of JSON lines that is only appended to.

Each line is synced to disk before the worker continues. After a loss of power the last line may be incomplete; it is
then ignored.
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
    """The last entry of a row; `filesets` and `plates` are OMERO's ids.

    `before` has the filesets of its path that OMERO had when the row started.
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
        self._lock = threading.Lock()
        self.outcomes: dict[str, Outcome] = {}
        self.begun: dict[str, list[int]] = {}
        """All rows that were ever started, with the filesets that OMERO had of each before."""
        self.durations: list[float] = []
        for entry in _entries(file):
            self._apply(entry)

    def record(self, path: str, state: str, **about: Any) -> None:
        """Append an entry for a row and sync it to disk."""
        entry = {"path": path, "state": state, "at": round(time.time(), 3), **about}
        with self._lock, self._file.open("a") as out:
            # Ends an incomplete line after a crash, so that this line can be read.
            out.write(("" if _ends_with_newline(self._file) else "\n") + json.dumps(entry) + "\n")
            out.flush()
            os.fsync(out.fileno())
            self._apply(entry)

    def with_state(self, state: str) -> set[str]:
        """The paths whose last state is this."""
        return {path for path, outcome in self.outcomes.items() if outcome.state == state}

    def _apply(self, entry: dict[str, Any]) -> None:
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


def _ends_with_newline(file: Path) -> bool:
    if not file.exists() or not file.stat().st_size:
        return True
    with file.open("rb") as content:
        content.seek(-1, os.SEEK_END)
        return content.read() == b"\n"
