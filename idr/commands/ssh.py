"""`idr ssh`: a shell or a command on a node, through the bastion."""

import os
import signal
import subprocess
from typing import Annotated

import typer

from idr import outputs, stack_file
from idr.cli import Identity, Login, OptionalStack
from idr.errors import IdrError
from idr.remote import NO_CONNECTION, NO_KEY, configuration
from idr.topology import find
from model.reading import SettingsError


def _complete_node(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the nodes of the stack's plan, from its file: the engine would take a second."""
    stack = ctx.params.get("stack") or os.environ.get("PULUMI_STACK")
    try:
        names = [node.name for node in stack_file.read(stack).plan.nodes] if stack else []
    except (IdrError, SettingsError):
        return []
    return [name for name in names if name.startswith(incomplete)]


NodeName = Annotated[
    str, typer.Argument(help="A node's name, or its short name in the live release.", autocompletion=_complete_node)
]


def command(
    node: NodeName,
    remote: Annotated[list[str] | None, typer.Argument(help="A command to run there, after `--`.")] = None,
    stack: OptionalStack = None,
    source: outputs.From = None,
    identity: Identity = None,
    login: Login = None,
) -> None:
    """Open a shell on a node, or run what follows `--`. Ends with its exit status (255: no connection)."""
    topology = outputs.read(stack, source).topology
    target = find(topology, node)
    with configuration(topology, identity, login) as file:
        # Ctrl-C is for the command on the node.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        status = subprocess.run(["ssh", "-F", str(file), target.name, *(remote or ())], check=False).returncode
    if status == NO_CONNECTION:
        typer.echo(f"If ssh says `Permission denied`: {NO_KEY}.", err=True)
    raise typer.Exit(status)
