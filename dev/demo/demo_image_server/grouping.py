"""Counts and other aggregates of a query: of all selected entries, or of each group."""

import re
from collections.abc import Callable, Sequence
from typing import Any

from omero.rtypes import rint, rlong, unwrap

from .catalogue import Entry

Value = Callable[[str, Entry], Any]
"""Returns the value of an expression for an entry."""

_FUNCTIONS: dict[str, Callable[[Sequence[Any]], Any]] = {
    "max": max,
    "min": min,
    "sum": sum,
    "maxIndex": max,
    "minIndex": min,
}
_CALL = re.compile(
    rf"^(?P<name>count|{'|'.join(_FUNCTIONS)}) ?\((?P<distinct>distinct )?(?P<inner>.*)\)$", re.IGNORECASE
)


def aggregate(columns: Sequence[str], value: Value, entries: Sequence[Entry]) -> list[Any]:
    """Return the only row of a query that selects nothing but aggregates; empty for other queries."""
    if not all(_CALL.match(column) for column in columns):
        return []
    return [_result(column, value, entries) for column in columns]


def grouped(columns: Sequence[str], value: Value, entries: Sequence[Entry]) -> list[list[Any]]:
    """Return one row for each combination of values in the columns that are no aggregates."""
    keys = [column for column in columns if not _CALL.match(column)]
    groups: dict[tuple[str, ...], list[Entry]] = {}
    for entry in entries:
        groups.setdefault(tuple(str(unwrap(value(key, entry))) for key in keys), []).append(entry)
    return [
        [value(column, members[0]) if column in keys else _result(column, value, members) for column in columns]
        for members in groups.values()
    ]


def _result(column: str, value: Value, entries: Sequence[Entry]) -> Any:
    call = _CALL.match(column)
    if call is None:
        raise ValueError(column)
    name, inner = call["name"], call["inner"]
    if name == "count":
        if not call["distinct"] or "." not in inner:
            return rlong(len(entries))
        return rlong(len({unwrap(value(inner, entry)) for entry in entries} - {None}))
    if name.endswith("Index"):
        return rint(0) if entries else None
    values = [unwrap(value(inner, entry)) for entry in entries]
    return rint(_FUNCTIONS[name](values)) if values else None
