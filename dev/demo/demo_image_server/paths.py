"""Paths of a query, such as `well.plate.name`: the class that a path leads to, and its value for an entry."""

import re
from collections.abc import Callable
from typing import Any

from omero.rtypes import rint, rlong, rstring, rtime, unwrap

from .catalogue import GENE_KEY, GENE_NAMESPACE, Entry
from .drawing import CHANNELS, SIZE
from .hql import Query, UnknownQueryError, split_list
from .objects import PUBLIC_GROUP, PUBLIC_GROUP_ID, permissions_map

_RELATIONS = {
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
EMPTY = "nothing"
"""The class of paths that lead to no object of the demo: datasets, acquisitions, files, ..."""

VALUES: dict[tuple[str, str], Callable[[Entry], Any]] = {
    ("Screen", "id"): lambda entry: rlong(entry.screen_id),
    ("Screen", "name"): lambda entry: rstring(entry.screen_name),
    ("ScreenPlateLink", "id"): lambda entry: rlong(entry.plate_id),
    ("Plate", "id"): lambda entry: rlong(entry.plate_id),
    ("Plate", "name"): lambda entry: rstring(entry.plate_name),
    ("Well", "id"): lambda entry: rlong(entry.well_id),
    ("Well", "row"): lambda entry: rint(entry.row),
    ("Well", "column"): lambda entry: rint(entry.column),
    ("WellSample", "id"): lambda entry: rlong(entry.well_id),
    ("WellSample", "index"): lambda _: rint(0),
    ("Image", "id"): lambda entry: rlong(entry.image_id),
    ("Image", "name"): lambda entry: rstring(entry.image_name),
    ("Image", "description"): lambda _: rstring(""),
    ("Image", "acquisitionDate"): lambda entry: rtime(entry.acquired),
    ("Image", "archived"): lambda _: None,
    ("Pixels", "id"): lambda entry: rlong(entry.image_id),
    ("Pixels", "sizeX"): lambda _: rint(SIZE),
    ("Pixels", "sizeY"): lambda _: rint(SIZE),
    ("Pixels", "sizeZ"): lambda _: rint(1),
    ("Pixels", "sizeT"): lambda _: rint(1),
    ("Pixels", "sizeC"): lambda _: rint(len(CHANNELS)),
    ("ImageAnnotationLink", "id"): lambda entry: rlong(entry.image_id),
    ("WellAnnotationLink", "id"): lambda entry: rlong(entry.well_id),
    ("MapAnnotation", "id"): lambda entry: rlong(entry.row + 1),
    ("MapAnnotation", "ns"): lambda _: rstring(GENE_NAMESPACE),
    ("MapAnnotation", "class"): lambda _: rstring("MapAnnotation"),
    ("NamedValue", "name"): lambda _: rstring(GENE_KEY),
    ("NamedValue", "value"): lambda entry: rstring(entry.gene),
    ("Event", "time"): lambda entry: rtime(entry.acquired),
    ("Experimenter", "id"): lambda entry: rlong(entry.owner.number),
    ("Experimenter", "omeName"): lambda entry: rstring(entry.owner.name),
    ("Experimenter", "firstName"): lambda entry: rstring(entry.owner.first_name),
    ("Experimenter", "lastName"): lambda entry: rstring(entry.owner.last_name),
    ("Experimenter", "email"): lambda _: None,
    ("ExperimenterGroup", "id"): lambda _: rlong(PUBLIC_GROUP_ID),
    ("ExperimenterGroup", "name"): lambda _: rstring(PUBLIC_GROUP),
    ("Details", "permissions"): lambda _: permissions_map(),
}
ENTITIES = {entity for entity, _ in VALUES} - {"Details", "Event", "NamedValue"}
_CALL = re.compile(r"^(?P<name>\w+) ?\((?P<inner>.*)\)$")


class Paths:
    """The paths of one query, from its aliases to values."""

    def __init__(self, query: Query) -> None:
        self._root = query.entity if query.entity in ENTITIES else EMPTY
        self._aliases = {query.alias: self._root} if query.alias else {}
        for join in query.joins:
            self._aliases.setdefault(join.alias, self.entity(join.path))

    def is_empty(self, path: str) -> bool:
        """Return whether the demo has no objects at the end of the path."""
        return self.entity(path) == EMPTY

    @property
    def has_channels(self) -> bool:
        """Return whether the result has a row for each channel."""
        return "Channel" in self._aliases.values()

    def entity(self, path: str) -> str:
        """Return the class of the objects that a path leads to."""
        first, *rest = path.split(".")
        kind = self._aliases.get(first)
        if kind is None:
            kind, rest = self._root, [first, *rest]
        for step in rest:
            kind = "Details" if step == "details" and kind != EMPTY else _RELATIONS.get((kind, step), EMPTY)
        return kind

    def value(self, expression: str, entry: Entry, channel: int = 0) -> Any:
        """Return the value of an expression for an entry and one of its channels. Raise UnknownQueryError."""
        if expression.startswith("<"):
            # A sub-query: it counts a screen's plates (one), or objects that the demo does not have.
            return rlong(1 if "ScreenPlateLink" in expression else 0)
        if "||" in expression:
            parts = (part.strip() for part in expression.split("||"))
            return rstring(
                "".join(part[1:-1] if part[:1] == "'" else str(unwrap(self.value(part, entry))) for part in parts)
            )
        if call := _CALL.match(expression):
            return self._call_function(call["name"], call["inner"], entry, channel)
        if expression in self._aliases:
            return permissions_map()  # `image as image_details_permissions`
        path, _, attribute = expression.rpartition(".")
        kind = self.entity(path) if path else self._root
        if kind == EMPTY:
            return None
        if (kind, attribute) == ("LogicalChannel", "name"):
            return rstring(CHANNELS[channel])
        if (kind, attribute) not in VALUES:
            raise UnknownQueryError(expression)
        return VALUES[kind, attribute](entry)

    def _call_function(self, name: str, inner: str, entry: Entry, channel: int) -> Any:
        """Return the value of a function of HQL for an entry. Raise UnknownQueryError."""
        if name == "coalesce":
            values = (self.value(part, entry) for part in split_list(inner))
            return next((value for value in values if value is not None), None)
        if name == "lower":
            return rstring(unwrap(self.value(inner, entry)).lower())
        if name == "index":
            return rint(channel)  # a well's one field has the index 0
        raise UnknownQueryError(f"{name}({inner})")
