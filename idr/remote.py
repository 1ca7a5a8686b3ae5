"""Run commands on a node by ssh, through the bastion. It imports no command line: the Pulumi program uses it."""

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from idr.errors import IdrError
from model.messages import reason
from model.outputs.ssh import ssh_config
from model.outputs.topology import NodeView, Topology
from model.roles import Role

NO_CONNECTION = 255
"""ssh's exit status if it could not connect or log in; any other is the remote command's."""
NO_KEY = (
    "the node accepts none of ssh's keys: run ssh-add, or give --identity FILE (or IDR_IDENTITY), and --login NAME (or "
    "IDR_LOGIN) if you have an account of your own; the key's public half must be in idr:operators, and applied by "
    "`pulumi up`"
)


def is_refused(text: str) -> bool:
    """Return whether ssh reports that the machine accepts none of the keys."""
    return "Permission denied (publickey" in text


def failure(errors: str, status: int) -> str:
    """Return why ssh or the remote command failed: its output on one line, or advice about keys."""
    text = reason(errors) if errors.strip() else f"exit status {status}"
    return NO_KEY if is_refused(text) else text


def read_write_node(topology: Topology, release: str, purpose: str) -> NodeView:
    """Return the read-write node of a release. Raises IdrError with `purpose` if there is none."""
    for node in topology.with_role(Role.OMERO_READWRITE):
        if node.release == release:
            return node
    msg = f"release {release} has no node with the role {Role.OMERO_READWRITE}, which {purpose}"
    raise IdrError(msg)


@contextmanager
def configuration(topology: Topology, identity: Path | None, login: str | None = None) -> Iterator[Path]:
    """Yield a temporary file for `ssh -F`, for the account `login` if given.

    Raises IdrError if ssh is not installed.
    """
    if shutil.which("ssh") is None:
        msg = "ssh is not on PATH; install OpenSSH's client"
        raise IdrError(msg)
    with tempfile.TemporaryDirectory(prefix="idr-ssh-") as folder:
        file = Path(folder) / "config"
        topology_of_account = topology.as_account(login) if login else topology
        file.write_text(ssh_config(topology_of_account, str(identity) if identity else None))
        yield file


def arguments(file: Path, node: NodeView, remote: Sequence[str], seconds: int) -> list[str]:
    """Return an ssh command line that never prompts, and gives up after `seconds` without a response."""
    return ["ssh", "-F", str(file), "-o", "BatchMode=yes", "-o", f"ConnectTimeout={seconds}", node.name, *remote]
