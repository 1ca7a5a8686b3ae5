"""How an import is: what `idr import` shows."""

import math
import time
from collections.abc import Iterable, Mapping
from typing import Any

from .beside import ANNOTATION
from .ledger import DONE, FAILED, STARTED, Ledger, Told
from .place import Place

WAITING = "waiting"
NOTHING: Mapping[str, Any] = {"images": 0, "filesets": [], "plates": []}
LAST = 20
"""Rows, or steps, from whose times the time that is left is estimated."""


def report(place: Place) -> dict[str, Any]:
    """The whole import, each of its rows, and each step that follows, as JSON."""
    ledger, looks, steps = place.ledger(), place.looks, place.ledger_of_steps()
    rows = [_row(row.path, row.target, ledger.told.get(row.path), looks[row.path].size) for row in place.rows]
    following = [{"kind": step.kind, "of": step.of, **_told(steps.told.get(step.key))} for step in place.steps]
    counts = {state: _count(rows, state) for state in (DONE, FAILED, STARTED, WAITING)}
    rows_left, steps_left = (_count(of, WAITING) + _count(of, STARTED) for of in (rows, following))
    parallel = place.data["limits"]["parallel"] if rows else 1
    left = (_seconds_left(ledger, rows_left, parallel), _seconds_left(steps, steps_left, parallel))
    return {
        "name": place.name,
        "state": _state(place, rows_left + steps_left),
        "why": place.why_halted,
        "folder": str(place.folder),
        "rows": len(rows),
        **counts,
        "images": sum(row["images"] for row in rows),
        "bytes": sum(row["bytes"] for row in rows),
        "secondsLeft": None if None in left else sum(filter(None, left)),
        "each": rows,
        "following": following,
        "made": list(dict.fromkeys(one for step in place.steps for one in (*step.within, *step.objects))),
        "annotationsWait": ANNOTATION in place.data.get("beside", {}) and counts[DONE] < len(rows),
    }


def _count(some: Iterable[Mapping[str, Any]], state: str) -> int:
    return sum(one["state"] == state for one in some)


def _state(place: Place, left: int) -> str:
    if not place.rows:
        return "unknown"
    if place.is_wanted:
        return "running"
    if place.why_halted:
        return "halted"
    return "stopped" if left else "finished"


def _row(path: str, target: str | None, told: Told | None, size: int) -> dict[str, Any]:
    about = {"images": told.images, "filesets": told.filesets, "plates": told.plates} if told else NOTHING
    return {"path": path, "target": target, "bytes": size, **about, **_told(told)}


def _told(told: Told | None) -> dict[str, Any]:
    told = told or Told(WAITING)
    seconds = time.time() - told.at if told.state == STARTED else told.seconds
    return {"state": told.state, "seconds": round(seconds, 1), "error": told.why, "log": told.log}


def _seconds_left(ledger: Ledger, left: int, parallel: int) -> float | None:
    """None where nothing is known yet."""
    last = ledger.durations[-LAST:]
    if not left:
        return 0.0
    return math.ceil(left / parallel) * sum(last) / len(last) if last else None
