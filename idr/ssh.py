"""`idr ssh`: a shell or a command on a node, through the bastion."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from idr import outputs, stack_file
from idr.cli import Identity, Login, OptionalStack
from idr.errors import IdrError
from model.outputs.ssh import ssh_config
from model.outputs.topology import NodeView, Topology
from model.reading import SettingsError

NO_CONNECTION = 255
"""ssh's exit status where it could not connect or log in; any other is the remote command's."""
NO_KEY = (
    "no key that ssh offers opens it: run ssh-add, or give --identity FILE (or IDR_IDENTITY), and --login NAME (or "
    "IDR_LOGIN) if you have an account of your own; the key's public half must be in idr:operators, and applied by "
    "`pulumi up`"
)


def is_refused(text: str) -> bool:
    """Whether ssh says that the machine is there and takes none of the keys."""
    return "Permission denied (publickey" in text


def _completed_nodes(ctx: typer.Context, incomplete: str) -> list[str]:
    """Nodes of the stack's plan: its file says them, and the engine would take a second."""
    stack = ctx.params.get("stack") or os.environ.get("PULUMI_STACK")
    try:
        names = [node.name for node in stack_file.read(stack).plan.nodes] if stack else []
    except (IdrError, SettingsError):
        return []
    return [name for name in names if name.startswith(incomplete)]


NodeName = Annotated[
    str, typer.Argument(help="A node's name, or its short name in the live release.", autocompletion=_completed_nodes)
]


def command(
    node: NodeName,
    remote: Annotated[list[str] | None, typer.Argument(help="A command to run there, after `--`.")] = None,
    stack: OptionalStack = None,
    source: outputs.From = None,
    identity: Identity = None,
    login: Login = None,
) -> None:
    """A shell on a node, or with `-- COMMAND...` that; ends with its exit status (255: no connection)."""
    made = outputs.topology(outputs.read(stack, source))
    target = find(made, node)
    with configuration(made, identity, login) as file:
        # Ctrl-C is for what runs over there.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        status = subprocess.run(["ssh", "-F", str(file), target.name, *(remote or ())], check=False).returncode
    if status == NO_CONNECTION:
        typer.echo(f"If the key was refused: {NO_KEY}.", err=True)
    raise typer.Exit(status)


def find(made: Topology, name: str) -> NodeView:
    """The node of that name, or the live release's of that short name. Raises IdrError when there is none."""
    for node in made.nodes:
        if node.name == name or (node.alias == name and node.release == made.live):
            return node
    msg = f"no such node: {name}; there are: {', '.join(node.name for node in made.nodes)}"
    raise IdrError(msg)


@contextmanager
def configuration(made: Topology, identity: Path | None, login: str | None = None) -> Iterator[Path]:
    """A file for `ssh -F`, there while it is needed, for the account `login` where one is given.

    Raises IdrError where there is no ssh to read it.
    """
    if shutil.which("ssh") is None:
        msg = "ssh is not on PATH; install OpenSSH's client"
        raise IdrError(msg)
    with tempfile.TemporaryDirectory(prefix="idr-ssh-") as folder:
        file = Path(folder) / "config"
        seen = made.as_account(login) if login else made
        file.write_text(ssh_config(seen, str(identity) if identity else None))
        yield file


def arguments(file: Path, node: NodeView, remote: Sequence[str], seconds: int) -> list[str]:
    """A command line that never asks and gives up after `seconds` without an answer."""
    return ["ssh", "-F", str(file), "-o", "BatchMode=yes", "-o", f"ConnectTimeout={seconds}", node.name, *remote]
