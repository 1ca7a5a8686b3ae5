"""`idr apply`: applies a node's configuration again, although no setting has changed."""

import typer

from idr import engine, state
from idr.cli import Stack
from idr.commands.ssh import NodeName
from idr.errors import IdrError
from idr.resources import CONFIGURATION
from idr.state import State


class ApplyError(IdrError):
    """The node cannot be configured; the text says why."""


def command(
    node: NodeName,
    stack: Stack,
) -> None:
    """Apply a node's configuration again: files, services and checks, as a `pulumi up` does that changes them.

    For a node that lost its configuration or is not healthy: `pulumi up` does nothing there, because no setting has
    changed. Server and volumes stay.
    """
    urn = configuration(state.read(stack), stack, node)
    options = ("--yes", "--skip-preview", "--suppress-outputs", "--target-replace", urn)
    engine.run("up", *options, "--stack", stack)
    typer.echo(f"{urn.rpartition('::')[2]}: configured; its roles are healthy")


def configuration(known: State, stack: str, node: str) -> str:
    """Return the URN of the command that configures a node, by its name or its short name in the live release.

    Raises ApplyError where the state has no such node, or never configured it.
    """
    urns = {one.name: one.urn for one in known.resources if one.type == CONFIGURATION}
    live = (known.outputs().get("topology") or {}).get("live")
    names = (node, f"{live}-{node}")
    if match := next((name for name in names if name in urns), None):
        return urns[match]
    if known.servers().keys() & names:
        msg = f"{node} was never configured; run: pulumi up -s {stack}"
    elif known.servers():
        msg = f"no such node: {node}; there are: {', '.join(sorted(known.servers()))}"
    else:
        msg = f"stack '{stack}' has no nodes yet; run: pulumi up -s {stack}"
    raise ApplyError(msg)
