"""How an import is: what `idr import` shows."""

import math
import time
from typing import Any

from .ledger import DONE, FAILED, STARTED, Told
from .place import Place

LAST = 20
"""Rows from whose times the time that is left is estimated."""


def report(place: Place) -> dict[str, Any]:
    """The whole import, and each of its rows, as JSON."""
    ledger, looks = place.ledger(), place.looks
    rows = [_row(row.path, row.target, ledger.told.get(row.path), looks[row.path].size) for row in place.rows]
    counts = {state: sum(row["state"] == state for row in rows) for state in (DONE, FAILED, STARTED, "waiting")}
    left = counts["waiting"] + counts[STARTED]
    return {
        "name": place.name,
        "state": _state(place, left),
        "why": place.why_halted,
        "folder": str(place.folder),
        "rows": len(rows),
        **counts,
        "images": sum(row["images"] for row in rows),
        "bytes": sum(row["bytes"] for row in rows),
        "secondsLeft": _seconds_left(ledger.durations[-LAST:], left, place.data["limits"]["parallel"] if rows else 1),
        "each": rows,
    }


def _state(place: Place, left: int) -> str:
    if not place.rows:
        return "unknown"
    if place.is_wanted:
        return "running"
    if place.why_halted:
        return "halted"
    return "stopped" if left else "finished"


def _row(path: str, target: str | None, told: Told | None, size: int) -> dict[str, Any]:
    told = told or Told("waiting")
    seconds = time.time() - told.at if told.state == STARTED else told.seconds
    return {
        "path": path,
        "target": target,
        "bytes": size,
        "state": told.state,
        "seconds": round(seconds, 1),
        "images": told.images,
        "filesets": told.filesets,
        "plates": told.plates,
        "error": told.why,
        "log": told.log,
    }


def _seconds_left(last: list[float], left: int, parallel: int) -> float | None:
    """None where nothing is known yet."""
    if not left:
        return 0.0
    return math.ceil(left / parallel) * sum(last) / len(last) if last else None
