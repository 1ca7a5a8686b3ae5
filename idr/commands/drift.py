"""`idr drift`: what in the cloud is no longer as the last `up` left it; for a nightly job."""

import json

import typer

from idr import agreement, engine, running, stack_file
from idr.agreement import Agreement
from idr.cli import FAILED, AsJson, Stack, console, print_json, table
from idr.cloud import asking, connect
from idr.drift import Drift, drifts, of_listing, without_repetitions
from idr.errors import IdrError
from model.comparison import WAKING

ADVICE = {
    "changed": "`pulumi up --refresh` puts back what the settings say",
    "changed by hand": "put it back by hand, as with `openstack port set`: the engine does not compare it",
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


def command(stack: Stack, as_json: AsJson = False) -> None:
    """Compare the cloud with the stack's state and plan, and change nothing. Exit status 1 when something differs.

    Names what was changed or deleted, what is there and is not the program's (rules, ports, volumes, servers), and
    servers that do not run.
    """
    compared = _compared(stack)
    update = running.of(stack, compared.state)
    if update:
        typer.echo(f"note: {update}", err=True)
    differences = list(of_listing(compared))
    try:
        differences += drifts(
            json.loads(engine.run("refresh", "--preview-only", "--json", "--skip-pending-creates", "--stack", stack))
        )
    except engine.EngineError as error:
        # The provider fails for a server in some of Nova's states. The project's list has shown which one it is.
        if not differences:
            raise
        typer.echo(f"note: not all was compared: {error}", err=True)
    differences = without_repetitions(differences)
    if as_json:
        resources = [one.model_dump(by_alias=True) for one in differences]
        print_json({"drift": bool(differences), "update": update, "resources": resources})
    else:
        _show(differences)
    if differences:
        raise typer.Exit(FAILED)


def _compared(stack: str) -> Agreement:
    file = stack_file.read(stack)
    compared = asking(lambda: agreement.of(connect(file.provider_setting), file.plan))
    if lines := compared.foreign():
        raise DriftError("\n".join(lines))
    if not compared.state.known():
        msg = f"the stack '{stack}' was never deployed, or was destroyed: its state has no objects"
        raise DriftError(msg)
    return compared


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
