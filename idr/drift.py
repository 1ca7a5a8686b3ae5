"""What in the cloud is no longer as the last `up` left it."""

from collections.abc import Iterator, Mapping
from typing import Any

from idr.agreement import Agreement
from idr.resources import name_of, type_of
from idr.state import KINDS
from model.comparison import ACTIVE, DATA, ERROR, OFF, CloudObject, Kind
from model.outputs.view import View

NOISE = frozenset(
    {
        "updated",
        "updatedAt",
        "allMetadata",
        "allTags",
        "attachments",
        "powerState",
        # Of a server whose image the cloud has replaced: "Image not found". Another image has another `imageId`.
        "imageName",
        "__pulumi_raw_state_delta",
    }
)
"""Properties that change by themselves, or that the project's list reports better."""


class Drift(View):
    """An object that was changed outside of `pulumi up`. `properties` are those that differ."""

    name: str
    type: str
    change: str
    properties: tuple[str, ...] = ()


def drifts(refresh: dict[str, Any]) -> list[Drift]:
    """Return the changes in the JSON of a refresh, in the order of names."""
    differences = [drift for step in refresh.get("steps", ()) if (drift := _drift(step))]
    return sorted(differences, key=lambda drift: (drift.name, drift.type))


def of_listing(compared: Agreement) -> Iterator[Drift]:
    """Yield the differences that only the project's list shows: unknown objects, metadata, and servers' states."""
    difference = compared.comparison
    data = [*(one.data for one in difference.adopt), *(one.data for one in difference.undecided)]
    for one in (*difference.delete, *difference.extra_rules, *data):
        yield Drift(name=one.name, type=one.kind, change="unknown")
    for one in difference.guests:
        yield Drift(name=one.name or one.id, type=one.kind, change="not the stack's")
    for deleted in difference.deleted:
        yield Drift(name=deleted.name, type=deleted.kind, change="deleted")
    for name in compared.changed_groups():
        yield Drift(name=name, type=Kind.PORT, change="changed", properties=("securityGroups",))
    for known, properties in compared.hidden_changes():
        yield Drift(name=known.name, type=known.kind, change="changed by hand", properties=properties)
    changed = compared.changed_metadata()
    for name, server in compared.listed_servers().items():
        yield from _of_server(name, server, changed.get(name, {}))


def without_repetitions(differences: list[Drift]) -> list[Drift]:
    """Return the differences in the order of names. Where both report a deleted object, the engine's report is used."""
    deleted = {(one.name, KINDS[one.type]) for one in differences if one.change == "deleted" and one.type in KINDS}
    kept = (one for one in differences if one.change != "deleted" or (one.name, one.type) not in deleted)
    return sorted(kept, key=lambda drift: (drift.name, drift.type))


def _of_server(name: str, server: CloudObject, changed: Mapping[str, str | None]) -> Iterator[Drift]:
    if server.status != ACTIVE:
        states = {OFF: "switched off", ERROR: "in ERROR"}
        yield Drift(name=name, type=server.kind, change=states.get(server.status, f"is {server.status}"))
    if changed:
        properties = tuple(f"metadata.{key}" for key in changed)
        yield Drift(name=name, type=server.kind, change="changed", properties=properties)


def _drift(step: dict[str, Any]) -> Drift | None:
    before, now = step.get("oldState"), step.get("newState")
    if not before:
        return None
    about = {"name": name_of(step["urn"]), "type": type_of(step["urn"])}
    if step["op"] == "delete" or not now:
        return Drift(**about, change="deleted")
    was, has = before.get("outputs") or {}, now.get("outputs") or {}
    # A provider reports "none" as null, as an empty list, or not at all.
    differing = tuple(sorted(key for key in {*was, *has} - NOISE if (was.get(key) or None) != (has.get(key) or None)))
    if not differing:
        return None
    grown = KINDS.get(about["type"]) in DATA and has.get("size", 0) > was.get("size", 0)
    return Drift(**about, change="grown" if grown else "changed", properties=differing)
