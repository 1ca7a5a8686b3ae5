"""The state of an import, as `idr import` shows it."""

import math
import time
from collections.abc import Iterable, Mapping
from typing import Any

from .beside import ANNOTATION
from .import_folder import ImportFolder
from .ledger import DONE, FAILED, STARTED, Ledger, Outcome

WAITING = "waiting"
NOTHING: Mapping[str, Any] = {"images": 0, "filesets": [], "plates": []}
LAST = 20
"""How many of the last rows, or steps, the estimate of the remaining time uses."""


def report(folder: ImportFolder) -> dict[str, Any]:
    """The state of the import, each row, and each step that follows, as JSON."""
    ledger, looks, steps = folder.ledger(), folder.looks, folder.ledger_of_steps()
    rows = [_row(row.path, row.target, ledger.outcomes.get(row.path), looks[row.path].size) for row in folder.rows]
    following = [
        {"kind": step.kind, "of": step.of, **_fields_of(steps.outcomes.get(step.key))} for step in folder.steps
    ]
    counts = {state: _count(rows, state) for state in (DONE, FAILED, STARTED, WAITING)}
    rows_left, steps_left = (_count(of, WAITING) + _count(of, STARTED) for of in (rows, following))
    parallel = folder.data["limits"]["parallel"] if rows else 1
    left = (_seconds_left(ledger, rows_left, parallel), _seconds_left(steps, steps_left, parallel))
    return {
        "name": folder.name,
        "state": _state(folder, rows_left + steps_left),
        "why": folder.why_halted,
        "folder": str(folder.folder),
        "rows": len(rows),
        **counts,
        "images": sum(row["images"] for row in rows),
        "bytes": sum(row["bytes"] for row in rows),
        "secondsLeft": None if None in left else sum(filter(None, left)),
        "each": rows,
        "following": following,
        "made": list(dict.fromkeys(one for step in folder.steps for one in (*step.within, *step.objects))),
        "annotationsWait": ANNOTATION in folder.data.get("beside", {}) and counts[DONE] < len(rows),
    }


def _count(some: Iterable[Mapping[str, Any]], state: str) -> int:
    return sum(one["state"] == state for one in some)


def _state(folder: ImportFolder, left: int) -> str:
    if not folder.rows:
        return "unknown"
    if folder.is_queued:
        return "running"
    if folder.why_halted:
        return "halted"
    return "stopped" if left else "finished"


def _row(path: str, target: str | None, outcome: Outcome | None, size: int) -> dict[str, Any]:
    about = {"images": outcome.images, "filesets": outcome.filesets, "plates": outcome.plates} if outcome else NOTHING
    return {"path": path, "target": target, "bytes": size, **about, **_fields_of(outcome)}


def _fields_of(outcome: Outcome | None) -> dict[str, Any]:
    outcome = outcome or Outcome(WAITING)
    seconds = time.time() - outcome.at if outcome.state == STARTED else outcome.seconds
    return {"state": outcome.state, "seconds": round(seconds, 1), "error": outcome.why, "log": outcome.log}


def _seconds_left(ledger: Ledger, left: int, parallel: int) -> float | None:
    """Estimate the remaining time; None as long as nothing has ended."""
    last = ledger.durations[-LAST:]
    if not left:
        return 0.0
    return math.ceil(left / parallel) * sum(last) / len(last) if last else None
