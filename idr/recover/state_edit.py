"""Change the state: adopt volumes and shares, forget deleted objects, drop pending operations."""

import json
from collections.abc import Iterable
from typing import Any

from idr import engine, state
from idr.errors import IdrError
from idr.resources import DATA_SHARE, DATA_VOLUME, STACK
from idr.state import KINDS, State
from model.comparison import DATA, Adoption, Kind, KnownObject

TYPES = {kind: token for token, kind in KINDS.items() if kind in DATA}
COMPONENTS = {Kind.VOLUME: DATA_VOLUME, Kind.SHARE: DATA_SHARE}
"""The types of the components of volumes and shares."""
INSTEAD = {
    Kind.VOLUME: "Use it by its id: set existing: {id} where the stack file names it (volumes, storage).",
    Kind.SHARE: "Use it by its export location: name that in an entry of storage with kind nfs instead.",
}


class StateError(IdrError):
    """The state cannot be changed as requested."""


def adopt(stack: str, adoption: Adoption, protect: bool) -> None:
    """Import a data volume or share into the state, with its properties in the cloud.

    Raises StateError or EngineError.
    """
    export = json.loads(engine.run("stack", "export", "--stack", stack))
    entry = data_entry(export, adoption, protect)
    export["deployment"]["resources"].append(entry)
    engine.run("stack", "import", "--stack", stack, text_input=json.dumps(export))
    _refresh(stack, [entry["urn"]])


def data_entry(export: dict[str, Any], adoption: Adoption, protect: bool) -> dict[str, Any]:
    """Return the state's entry for a volume or share that was created for the component of its name."""
    resources = export["deployment"].get("resources") or []
    kind = adoption.data.kind
    component = next(
        (one for one in resources if one["type"] == COMPONENTS[kind] and one["urn"].endswith(f"::{adoption.name}")),
        None,
    )
    provider = next((one["provider"] for one in resources if one["type"] in KINDS and one.get("provider")), None)
    if component is None or provider is None:
        msg = f"{adoption.data}: the state does not have what it belongs to yet, so it cannot be adopted. " + INSTEAD[
            kind
        ].format(id=adoption.data.id)
        raise StateError(msg)
    head, _, name = str(component["urn"]).rpartition("::")
    return {
        "urn": f"{head}${TYPES[kind]}::{name}",
        "custom": True,
        "id": adoption.data.id,
        "type": TYPES[kind],
        "inputs": {},
        "outputs": {},
        "parent": component["urn"],
        "protect": protect,
        "provider": provider,
    }


def drop_stops(stack: str, nodes: Iterable[str]) -> None:
    """Remove the stop commands of nodes: on a dead server they would fail, and prevent its replacement."""
    export = json.loads(engine.run("stack", "export", "--stack", stack))
    urns = {one.urn for name, one in state.of_export(export).stops().items() if name in nodes}
    for entry in export["deployment"]["resources"]:
        if entry["urn"] in urns:
            for values in (entry.get("inputs", {}), entry.get("outputs", {})):
                values.pop("delete", None)
    engine.run("stack", "import", "--stack", stack, text_input=json.dumps(export))


def forget(stack: str, known: State, deleted: Iterable[KnownObject]) -> None:
    """Drop pending operations, and each of `deleted` if the provider does not find it either.

    Raises StateError if it finds one: then the cloud's lists are incomplete, and the state keeps it.
    """
    ids = {(one.kind, one.id) for one in deleted}
    targets = [one.urn for one in known.resources if (KINDS.get(one.type), one.object_id) in ids]
    root = [one.urn for one in known.resources if one.type == STACK]
    if not root:
        return
    _refresh(stack, [*root, *targets])
    remaining = [one for one in state.read(stack).known() if (one.kind, one.id) in ids]
    if remaining:
        lines = [f"the cloud does not list {one}, but it is there" for one in remaining]
        raise StateError("\n".join([*lines, "Its lists are incomplete; try again when the cloud is well."]))


def _refresh(stack: str, targets: list[str]) -> None:
    options = [option for urn in targets for option in ("--target", urn)]
    engine.run("refresh", "--yes", "--skip-preview", "--clear-pending-creates", *options, "--stack", stack)
