"""Evaluation of queries on the catalogue.

Each well has one field, and each field one image with its pixels. So each entry of the catalogue answers for one object
of every class. An evaluation keeps the entries that meet the query's conditions, takes one entry for each object of the
class that the query selects, and looks up the columns with `paths`.
"""

import logging
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from omero.rtypes import rmap, robject, unwrap

from . import grouping
from .catalogue import Entry
from .drawing import CHANNELS
from .hql import Condition, Query, UnknownQueryError, inner_query, parse
from .objects import ObjectBuilder
from .paths import EMPTY, ENTITIES, VALUES, Paths
from .users import OWNERS, USERS

log = logging.getLogger(__name__)


class Evaluator:
    """Evaluates queries on one list of entries."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._entries = entries

    def objects(self, text: str, parameters: Any) -> list[Any]:
        """Return the objects that a query selects: none, and a line in the log, for an unknown form of query."""
        return _empty_if_unknown(text, lambda: self._objects(text, parameters))

    def rows(self, text: str, parameters: Any) -> list[list[Any]]:
        """Return the rows of values that a query selects: none, and a line in the log, for an unknown form of query."""
        return _empty_if_unknown(text, lambda: self._rows(text, parameters))

    def by_id(self, kind: str, numbers: Sequence[int]) -> list[Any]:
        """Return the objects of one class with these ids."""
        return self._build(kind, set(numbers))

    def all_of(self, kind: str) -> list[Any]:
        """Return all objects of one class."""
        return self._build(kind, None)

    def _builder(self) -> ObjectBuilder:
        return ObjectBuilder(self._entries[0].owner if self._entries else OWNERS[0])

    def _build(self, kind: str, ids: set[int] | None) -> list[Any]:
        """Return the objects of one class with these ids, or all. Build no others: building takes most of the time."""
        if kind not in ENTITIES:
            return []
        builder, id_of = self._builder(), VALUES[kind, "id"]
        entries = _distinct(self._entries_of(kind), kind)
        return [builder.build(kind, entry) for entry in entries if ids is None or unwrap(id_of(entry)) in ids]

    def _objects(self, text: str, parameters: Any) -> list[Any]:
        query = self._parse(text, parameters)
        paths = Paths(query)
        kind = paths.entity(query.columns[0])
        if kind == EMPTY:
            return []
        builder = self._builder()
        return [builder.build(kind, entry) for entry in _page(self._select(query, paths, kind), parameters)]

    def _rows(self, text: str, parameters: Any) -> list[list[Any]]:
        query = self._parse(text, parameters)
        paths = Paths(query)
        entries = self._select(query, paths, query.entity)
        if query.grouped:
            return _as_maps(query, grouping.grouped(query.columns, paths.value, entries))
        if aggregate := grouping.aggregate(query.columns, paths.value, entries):
            return [aggregate]
        if len(query.columns) == 1 and not query.keys and query.columns[0] == query.alias:
            return [[robject(item)] for item in self._objects(text, parameters)]
        rows = [
            [paths.value(column, entry, channel) for column in query.columns]
            for entry in _page(entries, parameters)
            for channel in range(len(CHANNELS) if paths.has_channels else 1)
        ]
        return _as_maps(query, rows)

    def _parse(self, text: str, parameters: Any) -> Query:
        """Parse the query. Replace a sub-query that selects ids by these ids."""
        named = plain(parameters)
        if inner := inner_query(text):
            named = {**named, "inner": [unwrap(row[0]) for row in self._rows(inner, named)]}
            text = text.replace(f"({inner})", "(:inner)")
        return parse(text, named)

    def _select(self, query: Query, paths: Paths, kind: str) -> list[Entry]:
        """Select one entry for each object of class `kind` that meets the conditions."""
        if query.entity not in ENTITIES or any(paths.is_empty(join.path) for join in query.joins if join.required):
            return []
        if any(re.search("WellSample|ScreenPlateLink", absent) for absent in query.absent):
            return []  # orphans: the demo has none
        matching = (
            entry
            for entry in self._entries_of(query.entity)
            if all(_meets(condition, paths, entry) for condition in query.conditions)
        )
        selected = _distinct(matching, kind)
        if re.match(r"[\w.]*column\b", query.order):
            selected.sort(key=lambda entry: (entry.plate_id, entry.column, entry.row))
        return selected

    def _entries_of(self, kind: str) -> Sequence[Entry]:
        """Return the entries for a class. Of Experimenter, one for each user, because a user may own no data."""
        if kind != "Experimenter":
            return self._entries
        return [replace(entry, owner=user) for entry in self._entries[:1] for user in USERS]


def plain(parameters: Any) -> dict[str, Any]:
    """Return the parameters of a query as plain values."""
    named = parameters if isinstance(parameters, dict) else (parameters and parameters.map) or {}
    return {name: unwrap(value) for name, value in named.items()}


def _as_maps(query: Query, rows: list[list[Any]]) -> list[list[Any]]:
    """Return each row as a map where the query names its columns (`new map`)."""
    return [[rmap(dict(zip(query.keys, row, strict=True)))] for row in rows] if query.keys else rows


def _empty_if_unknown(text: str, evaluate: Callable[[], list[Any]]) -> list[Any]:
    try:
        return evaluate()
    except UnknownQueryError as error:
        flat = " ".join(text.split())
        if flat not in _logged and len(_logged) < 1000:
            _logged.add(flat)
            log.warning("answered with nothing, because of %s: %s", error, flat)
        return []


_logged: set[str] = set()


def _distinct(entries: Iterable[Entry], kind: str) -> list[Entry]:
    first: dict[int, Entry] = {}
    for entry in entries:
        first.setdefault(unwrap(VALUES[kind, "id"](entry)), entry)
    return list(first.values())


def _meets(condition: Condition, paths: Paths, entry: Entry) -> bool:
    return condition.holds_for(unwrap(paths.value(condition.path, entry)))


def _page(entries: list[Entry], parameters: Any) -> list[Entry]:
    page = getattr(parameters, "theFilter", None)
    if page is None or page.limit is None:
        return entries
    offset = unwrap(page.offset) or 0
    return entries[offset : offset + unwrap(page.limit)]
