"""Answers queries from the catalogue.

Everything hangs together one to one (screen, plate, well, field, image, pixels), so each query is answered from the
places: keep those that meet its conditions, take one for each thing asked about, and look the columns up in _VALUES.
"""

import logging
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from omero.rtypes import rint, rlong, rmap, robject, rstring, rtime, unwrap

from . import grouping
from .catalogue import GENE_KEY, GENE_NAMESPACE, Place
from .drawing import CHANNELS, SIZE
from .hql import Condition, Query, UnknownQueryError, inner_query, split_list, take_apart
from .objects import PUBLIC_GROUP, PUBLIC_GROUP_ID, Maker, permissions_map
from .users import OWNERS, USERS

log = logging.getLogger(__name__)

_NEIGHBOURS = {
    ("Screen", "plateLinks"): "ScreenPlateLink",
    ("ScreenPlateLink", "parent"): "Screen",
    ("ScreenPlateLink", "child"): "Plate",
    ("Plate", "screenLinks"): "ScreenPlateLink",
    ("Plate", "wells"): "Well",
    ("Well", "plate"): "Plate",
    ("Well", "wellSamples"): "WellSample",
    ("WellSample", "well"): "Well",
    ("WellSample", "image"): "Image",
    ("Image", "wellSamples"): "WellSample",
    ("Image", "pixels"): "Pixels",
    ("Pixels", "image"): "Image",
    ("Pixels", "channels"): "Channel",
    ("Channel", "logicalChannel"): "LogicalChannel",
    ("ImageAnnotationLink", "parent"): "Image",
    ("ImageAnnotationLink", "child"): "MapAnnotation",
    ("WellAnnotationLink", "parent"): "Well",
    ("WellAnnotationLink", "child"): "MapAnnotation",
    ("MapAnnotation", "mapValue"): "NamedValue",
    ("Experimenter", "groupExperimenterMap"): "GroupExperimenterMap",
    ("ExperimenterGroup", "groupExperimenterMap"): "GroupExperimenterMap",
    ("GroupExperimenterMap", "parent"): "ExperimenterGroup",
    ("GroupExperimenterMap", "child"): "Experimenter",
    ("Details", "owner"): "Experimenter",
    ("Details", "group"): "ExperimenterGroup",
    ("Details", "creationEvent"): "Event",
    ("Details", "updateEvent"): "Event",
}
_NOTHING = "nothing"  # what a path leads to that the demo has none of: data sets, acquisitions, files, ...

_VALUES: dict[tuple[str, str], Callable[[Place], Any]] = {
    ("Screen", "id"): lambda place: rlong(place.screen_id),
    ("Screen", "name"): lambda place: rstring(place.screen_name),
    ("ScreenPlateLink", "id"): lambda place: rlong(place.plate_id),
    ("Plate", "id"): lambda place: rlong(place.plate_id),
    ("Plate", "name"): lambda place: rstring(place.plate_name),
    ("Well", "id"): lambda place: rlong(place.well_id),
    ("Well", "row"): lambda place: rint(place.row),
    ("Well", "column"): lambda place: rint(place.column),
    ("WellSample", "id"): lambda place: rlong(place.well_id),
    ("WellSample", "index"): lambda _: rint(0),
    ("Image", "id"): lambda place: rlong(place.image_id),
    ("Image", "name"): lambda place: rstring(place.image_name),
    ("Image", "description"): lambda _: rstring(""),
    ("Image", "acquisitionDate"): lambda place: rtime(place.acquired),
    ("Image", "archived"): lambda _: None,
    ("Pixels", "id"): lambda place: rlong(place.image_id),
    ("Pixels", "sizeX"): lambda _: rint(SIZE),
    ("Pixels", "sizeY"): lambda _: rint(SIZE),
    ("Pixels", "sizeZ"): lambda _: rint(1),
    ("Pixels", "sizeT"): lambda _: rint(1),
    ("Pixels", "sizeC"): lambda _: rint(len(CHANNELS)),
    ("ImageAnnotationLink", "id"): lambda place: rlong(place.image_id),
    ("WellAnnotationLink", "id"): lambda place: rlong(place.well_id),
    ("MapAnnotation", "id"): lambda place: rlong(place.row + 1),
    ("MapAnnotation", "ns"): lambda _: rstring(GENE_NAMESPACE),
    ("MapAnnotation", "class"): lambda _: rstring("MapAnnotation"),
    ("NamedValue", "name"): lambda _: rstring(GENE_KEY),
    ("NamedValue", "value"): lambda place: rstring(place.gene),
    ("Event", "time"): lambda place: rtime(place.acquired),
    ("Experimenter", "id"): lambda place: rlong(place.owner.number),
    ("Experimenter", "omeName"): lambda place: rstring(place.owner.name),
    ("Experimenter", "firstName"): lambda place: rstring(place.owner.first_name),
    ("Experimenter", "lastName"): lambda place: rstring(place.owner.last_name),
    ("Experimenter", "email"): lambda _: None,
    ("ExperimenterGroup", "id"): lambda _: rlong(PUBLIC_GROUP_ID),
    ("ExperimenterGroup", "name"): lambda _: rstring(PUBLIC_GROUP),
    ("Details", "permissions"): lambda _: permissions_map(),
}
_ENTITIES = {entity for entity, _ in _VALUES} - {"Details", "Event", "NamedValue"}
_CALL = re.compile(r"^(?P<name>\w+) ?\((?P<inner>.*)\)$")


class Answerer:
    """Answers the questions to one list of places."""

    def __init__(self, places: Sequence[Place]) -> None:
        self._places = places

    def objects(self, text: str, parameters: Any) -> list[Any]:
        """The objects that a query selects; none (and a line in the log) for a query that is not understood."""
        return _or_nothing(text, lambda: self._objects(text, parameters))

    def rows(self, text: str, parameters: Any) -> list[list[Any]]:
        """The rows of values that a query selects; likewise."""
        return _or_nothing(text, lambda: self._rows(text, parameters))

    def by_id(self, kind: str, numbers: Sequence[int]) -> list[Any]:
        """The objects of one class with those numbers."""
        return self._made(kind, set(numbers))

    def all_of(self, kind: str) -> list[Any]:
        """All objects of one class."""
        return self._made(kind, None)

    def _maker(self) -> Maker:
        return Maker(self._places[0].owner if self._places else OWNERS[0])

    def _made(self, kind: str, numbers: set[int] | None) -> list[Any]:
        """The objects of one class: those with the numbers, or all. Making one that nobody wants takes as long."""
        if kind not in _ENTITIES:
            return []
        maker, number = self._maker(), _VALUES[kind, "id"]
        places = _distinct(self._about(kind), kind)
        return [maker.make(kind, place) for place in places if numbers is None or unwrap(number(place)) in numbers]

    def _objects(self, text: str, parameters: Any) -> list[Any]:
        query = self._taken_apart(text, parameters)
        paths = _Paths(query)
        kind = paths.entity(query.columns[0])
        if kind == _NOTHING:
            return []
        maker = self._maker()
        return [maker.make(kind, place) for place in _page(self._select(query, paths, kind), parameters)]

    def _rows(self, text: str, parameters: Any) -> list[list[Any]]:
        query = self._taken_apart(text, parameters)
        paths = _Paths(query)
        places = self._select(query, paths, query.entity)
        if query.grouped:
            return _mapped(query, grouping.grouped(query.columns, paths.value, places))
        if aggregate := grouping.aggregate(query.columns, paths.value, places):
            return [aggregate]
        if len(query.columns) == 1 and not query.keys and query.columns[0] == query.alias:
            return [[robject(item)] for item in self._objects(text, parameters)]
        rows = [
            [paths.value(column, place, channel) for column in query.columns]
            for place in _page(places, parameters)
            for channel in range(len(CHANNELS) if paths.asks_channels else 1)
        ]
        return _mapped(query, rows)

    def _taken_apart(self, text: str, parameters: Any) -> Query:
        """The query, with the numbers in the place of a sub-query that selects some."""
        named = plain(parameters)
        if inner := inner_query(text):
            named = {**named, "inner": [unwrap(row[0]) for row in self._rows(inner, named)]}
            text = text.replace(f"({inner})", "(:inner)")
        return take_apart(text, named)

    def _select(self, query: Query, paths: "_Paths", kind: str) -> list[Place]:
        """One place for each thing of class `kind` that meets the conditions."""
        if query.entity not in _ENTITIES or any(paths.is_nothing(join.path) for join in query.joins if join.required):
            return []
        if any(re.search("WellSample|ScreenPlateLink", absent) for absent in query.absent):
            return []  # orphans; the demo has none
        meeting = (
            place
            for place in self._about(query.entity)
            if all(_meets(condition, paths, place) for condition in query.conditions)
        )
        found = _distinct(meeting, kind)
        if re.match(r"[\w.]*column\b", query.order):
            found.sort(key=lambda place: (place.plate_id, place.column, place.row))
        return found

    def _about(self, kind: str) -> Sequence[Place]:
        """The places that questions about a class are answered from: of users, one for each, also without data."""
        if kind != "Experimenter":
            return self._places
        return [replace(place, owner=user) for place in self._places[:1] for user in USERS]


class _Paths:
    """Follows paths of one query from its aliases to values."""

    def __init__(self, query: Query) -> None:
        self._root = query.entity if query.entity in _ENTITIES else _NOTHING
        self._aliases = {query.alias: self._root} if query.alias else {}
        for join in query.joins:
            self._aliases.setdefault(join.alias, self.entity(join.path))

    def is_nothing(self, path: str) -> bool:
        """Whether the demo has none of what the path leads to."""
        return self.entity(path) == _NOTHING

    @property
    def asks_channels(self) -> bool:
        """Whether there is a row for each channel."""
        return "Channel" in self._aliases.values()

    def entity(self, path: str) -> str:
        """The class of what a path leads to."""
        first, *rest = path.split(".")
        kind = self._aliases.get(first)
        if kind is None:
            kind, rest = self._root, [first, *rest]
        for step in rest:
            kind = "Details" if step == "details" and kind != _NOTHING else _NEIGHBOURS.get((kind, step), _NOTHING)
        return kind

    def value(self, expression: str, place: Place, channel: int = 0) -> Any:
        """What an expression says of a place (and of one of its channels); raises UnknownQueryError."""
        if expression.startswith("<"):  # a sub-query: counts plates of a screen, or what the demo has none of
            return rlong(1 if "ScreenPlateLink" in expression else 0)
        if "||" in expression:
            parts = (part.strip() for part in expression.split("||"))
            return rstring(
                "".join(part[1:-1] if part[:1] == "'" else str(unwrap(self.value(part, place))) for part in parts)
            )
        if call := _CALL.match(expression):
            return self._called(call["name"], call["inner"], place, channel)
        if expression in self._aliases:
            return permissions_map()  # `image as image_details_permissions`
        path, _, attribute = expression.rpartition(".")
        kind = self.entity(path) if path else self._root
        if kind == _NOTHING:
            return None
        if (kind, attribute) == ("LogicalChannel", "name"):
            return rstring(CHANNELS[channel])
        if (kind, attribute) not in _VALUES:
            raise UnknownQueryError(expression)
        return _VALUES[kind, attribute](place)

    def _called(self, name: str, inner: str, place: Place, channel: int) -> Any:
        """What a function of HQL says of a place; raises UnknownQueryError."""
        if name == "coalesce":
            values = (self.value(part, place) for part in split_list(inner))
            return next((value for value in values if value is not None), None)
        if name == "lower":
            return rstring(unwrap(self.value(inner, place)).lower())
        if name == "index":
            return rint(channel)  # a well's one field has the index 0
        raise UnknownQueryError(f"{name}({inner})")


def plain(parameters: Any) -> dict[str, Any]:
    """The parameters of a query as plain values."""
    named = parameters if isinstance(parameters, dict) else (parameters and parameters.map) or {}
    return {name: unwrap(value) for name, value in named.items()}


def _mapped(query: Query, rows: list[list[Any]]) -> list[list[Any]]:
    """The rows of a query, each one a mapping where the query names its columns."""
    return [[rmap(dict(zip(query.keys, row, strict=True)))] for row in rows] if query.keys else rows


def _or_nothing(text: str, answer: Callable[[], list[Any]]) -> list[Any]:
    try:
        return answer()
    except UnknownQueryError as error:
        flat = " ".join(text.split())
        if flat not in _complained and len(_complained) < 1000:
            _complained.add(flat)
            log.warning("answered with nothing, because of %s: %s", error, flat)
        return []


_complained: set[str] = set()


def _distinct(places: Iterable[Place], kind: str) -> list[Place]:
    first: dict[int, Place] = {}
    for place in places:
        first.setdefault(unwrap(_VALUES[kind, "id"](place)), place)
    return list(first.values())


def _meets(condition: Condition, paths: _Paths, place: Place) -> bool:
    return condition.holds_for(unwrap(paths.value(condition.path, place)))


def _page(places: list[Place], parameters: Any) -> list[Place]:
    wanted = getattr(parameters, "theFilter", None)
    if wanted is None or wanted.limit is None:
        return places
    offset = unwrap(wanted.offset) or 0
    return places[offset : offset + unwrap(wanted.limit)]
