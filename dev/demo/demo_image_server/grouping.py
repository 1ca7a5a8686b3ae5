"""Counts and other aggregates of a query: of all that it selects, or of each group."""

import re
from collections.abc import Callable, Sequence
from typing import Any

from omero.rtypes import rint, rlong, unwrap

from .catalogue import Place

Value = Callable[[str, Place], Any]
"""What an expression of the query says of a place."""

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


def aggregate(columns: Sequence[str], value: Value, places: Sequence[Place]) -> list[Any]:
    """The one row of a query that asks for nothing but aggregates; empty for any other query."""
    if not all(_CALL.match(column) for column in columns):
        return []
    return [_result(column, value, places) for column in columns]


def grouped(columns: Sequence[str], value: Value, places: Sequence[Place]) -> list[list[Any]]:
    """A row for each combination of what the columns say that are no aggregates."""
    keys = [column for column in columns if not _CALL.match(column)]
    groups: dict[tuple[str, ...], list[Place]] = {}
    for place in places:
        groups.setdefault(tuple(str(unwrap(value(key, place))) for key in keys), []).append(place)
    return [
        [value(column, members[0]) if column in keys else _result(column, value, members) for column in columns]
        for members in groups.values()
    ]


def _result(column: str, value: Value, places: Sequence[Place]) -> Any:
    call = _CALL.match(column)
    if call is None:
        raise ValueError(column)
    name, inner = call["name"], call["inner"]
    if name == "count":
        if not call["distinct"] or "." not in inner:
            return rlong(len(places))
        return rlong(len({unwrap(value(inner, place)) for place in places} - {None}))
    if name.endswith("Index"):
        return rint(0) if places else None
    values = [unwrap(value(inner, place)) for place in places]
    return rint(_FUNCTIONS[name](values)) if values else None
