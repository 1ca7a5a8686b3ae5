"""`idr drift`: what in the cloud is no longer as the last `up` left it; for a nightly job."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import typer

from idr import agreement, engine, running, stack_file
from idr.agreement import Agreement
from idr.cli import FAILED, AsJson, Stack, console, print_json, table
from idr.cloud import asking, connect
from idr.errors import IdrError
from idr.resources import name_of, type_of
from idr.state import KINDS
from model.comparison import ACTIVE, DATA, ERROR, OFF, WAKING, CloudObject, Kind
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
"""Properties that change without anybody's doing, or that the listing tells better."""
ADVICE = {
    "changed": "`pulumi up --refresh` puts back what the settings say",
    "grown": "set its sizeGib in the stack file to the size that it has now: nothing with data can shrink",
    "deleted": "`pulumi up` creates a server again; for anything else run `bin/idr recover` first",
    "unknown": "`bin/idr recover` deletes it, or adopts it when it holds data",
    "not the stack's": "somebody attached it by hand: detach it by its id",
    "switched off": "`pulumi up` starts it",
    "in ERROR": "`bin/idr recover` deletes it, then `pulumi up` creates it again",
    **{f"is {status}": f"`openstack server {command} SERVER` ends that" for status, command in WAKING.items()},
}


class DriftError(IdrError):
    """There is nothing to compare; the text says why."""


class Drift(View):
    """An object that was changed behind the program's back. `properties` are those that differ."""

    name: str
    type: str
    change: str
    properties: tuple[str, ...] = ()


def command(stack: Stack, as_json: AsJson = False) -> None:
    """Compare the cloud with the stack's state and plan, and change nothing. Exit status 1 when something differs.

    Names what was changed or deleted, what is there and is not the program's (rules, ports, volumes, servers), and
    servers that do not run.
    """
    compared = _compared(stack)
    update = running.of(stack, compared.state)
    if update:
        typer.echo(f"note: {update}", err=True)
    differences = list(strangers(compared))
    try:
        differences += drifts(
            json.loads(engine.run("refresh", "--preview-only", "--json", "--skip-pending-creates", "--stack", stack))
        )
    except engine.EngineError as error:
        # The provider reads no server in some of Nova's states: the listing has told which one.
        if not differences:
            raise
        typer.echo(f"note: not all was compared: {error}", err=True)
    differences = _once(differences)
    if as_json:
        resources = [one.model_dump(by_alias=True) for one in differences]
        print_json({"drift": bool(differences), "update": update, "resources": resources})
    else:
        _show(differences)
    if differences:
        raise typer.Exit(FAILED)


def _compared(stack: str) -> Agreement:
    file = stack_file.read(stack)
    compared: Agreement = asking(lambda: agreement.of(connect(file.provider_setting), file.plan))
    if lines := compared.foreign():
        raise DriftError("\n".join(lines))
    if not compared.state.known():
        msg = f"the stack '{stack}' was never deployed, or was destroyed: its state has no objects"
        raise DriftError(msg)
    return compared


def drifts(refresh: dict[str, Any]) -> list[Drift]:
    """What a refresh's JSON says has changed, in the order of names."""
    differences = [drift for step in refresh.get("steps", ()) if (drift := _drift(step))]
    return sorted(differences, key=lambda drift: (drift.name, drift.type))


def strangers(compared: Agreement) -> Iterator[Drift]:
    """What only the project's list shows: objects beside the state's, metadata, and servers' states."""
    difference = compared.comparison
    data = [*(one.data for one in difference.adopt), *(one.data for one in difference.undecided)]
    for one in (*difference.delete, *difference.extra_rules, *data):
        yield Drift(name=one.name, type=one.kind, change="unknown")
    for one in difference.guests:
        yield Drift(name=one.name or one.id, type=one.kind, change="not the stack's")
    for gone in difference.gone:
        yield Drift(name=gone.name, type=gone.kind, change="deleted")
    for name in compared.changed_groups():
        yield Drift(name=name, type=Kind.PORT, change="changed", properties=("securityGroups",))
    changed = compared.changed_metadata()
    for name, server in compared.listed_servers().items():
        yield from _of_server(name, server, changed.get(name, {}))


def _once(differences: list[Drift]) -> list[Drift]:
    """The differences in the order of names; of an object that both say is deleted, what the engine says."""
    deleted = {(one.name, KINDS[one.type]) for one in differences if one.change == "deleted" and one.type in KINDS}
    once = [one for one in differences if one.change != "deleted" or (one.name, one.type) not in deleted]
    return sorted(once, key=lambda drift: (drift.name, drift.type))


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
    # A provider says "none" as null, as an empty list, or not at all.
    differing = tuple(sorted(key for key in {*was, *has} - NOISE if (was.get(key) or None) != (has.get(key) or None)))
    if not differing:
        return None
    grown = KINDS.get(about["type"]) in DATA and has.get("size", 0) > was.get("size", 0)
    return Drift(**about, change="grown" if grown else "changed", properties=differing)


def _show(differences: list[Drift]) -> None:
    out = console()
    if not differences:
        out.print("The cloud is as the last `pulumi up` left it.")
        return
    shown = table("resource", "type", "", "properties")
    for drift in differences:
        shown.add_row(drift.name, drift.type.rsplit(":", 1)[-1], drift.change, ", ".join(drift.properties))
    out.print(shown)
    for change in dict.fromkeys(drift.change for drift in differences):
        if change in ADVICE:
            out.print(f"{change}: {ADVICE[change]}")
