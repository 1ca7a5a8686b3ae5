"""How commands reach a node: ssh, through the bastion. It imports no command line: the program waits for nodes, too."""

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from idr.errors import IdrError
from model.outputs.ssh import ssh_config
from model.outputs.topology import NodeView, Topology

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
