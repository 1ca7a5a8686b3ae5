"""`idr drift`: what in the cloud is no longer as the last `up` left it; for a nightly job."""

import json
from typing import Any

import typer
from rich.table import Table

from idr import engine
from idr.cli import FAILED, AsJson, Stack, console, print_json
from model.outputs.view import View


class Drift(View):
    """A resource that was changed or deleted behind the program's back. `properties` are those that differ."""

    name: str
    type: str
    change: str
    properties: tuple[str, ...] = ()


def command(stack: Stack, as_json: AsJson = False) -> None:
    """Compare the cloud with the stack's state and change neither. Exit status 1 when something differs.

    Needs no checkout of what was deployed: the program is not run, so changes of settings are no drift.
    """
    found = drifts(json.loads(engine.run("refresh", "--preview-only", "--json", "--stack", stack)))
    if as_json:
        print_json({"drift": bool(found), "resources": [one.model_dump(by_alias=True) for one in found]})
    else:
        _show(found)
    if found:
        raise typer.Exit(FAILED)


def drifts(refresh: dict[str, Any]) -> list[Drift]:
    """What a refresh's JSON says has changed, in the order of names."""
    found = [drift for step in refresh.get("steps", ()) if (drift := _drift(step))]
    return sorted(found, key=lambda drift: (drift.name, drift.type))


def _drift(step: dict[str, Any]) -> Drift | None:
    before, now = step.get("oldState"), step.get("newState")
    if not before:
        return None
    _, _, kind, name = step["urn"].split("::", 3)
    about = {"name": name, "type": kind.rsplit("$", 1)[-1]}
    if step["op"] == "delete" or not now:
        return Drift(**about, change="deleted")
    was, has = before.get("outputs") or {}, now.get("outputs") or {}
    differing = tuple(sorted(key for key in {*was, *has} if was.get(key) != has.get(key)))
    return Drift(**about, change="changed", properties=differing) if differing else None


def _show(found: list[Drift]) -> None:
    out = console()
    if not found:
        out.print("The cloud is as the last `pulumi up` left it.")
        return
    table = Table("resource", "type", "", "properties")
    for drift in found:
        table.add_row(drift.name, drift.type, drift.change, ", ".join(drift.properties))
    out.print(table)
    out.print("`pulumi up --refresh` puts back what the settings say; review it first with `bin/idr review`.")
