"""After an `up` that was cut off or that the cloud failed: state and cloud agree again; the next one completes it."""

import json
import subprocess
from collections.abc import Callable

import typer

from idr.cli import Stack
from idr.cloud import asking, connect
from idr.errors import IdrError
from model.plan import cloud_prefix

Say = Callable[[str], None]
SERVER_SECONDS = 120


class RecoverError(IdrError):
    """Recovery did not work; the text says which step and why."""


def command(stack: Stack) -> None:
    """After an `up` that was cut off or that the cloud failed, make the next one able to complete it.

    Unlocks the state, deletes servers that ended in ERROR, and lets the state forget what is not there.
    Data volumes are not touched.
    """
    recover(stack, typer.echo)


def recover(stack: str, say: Say) -> None:
    """Unlock the state, delete servers that ended in ERROR, and let the state forget what is not there.

    Data volumes are not touched. Raises RecoverError or idr.cloud.CloudError.
    """
    if _pulumi("cancel", "--yes", "--stack", stack, check=False):
        say("no lock of an earlier update is left on the state")
    config = json.loads(_pulumi("config", "--json", "--show-secrets", "--stack", stack))

    def setting(name: str) -> str | None:
        entry = config.get(f"openstack:{name}")
        return entry["value"] if entry else None

    for name in asking(lambda: _delete_broken(stack, setting)):
        say(f"server {name} had ended in ERROR: deleted")
    _pulumi("refresh", "--yes", "--skip-preview", "--clear-pending-creates", "--stack", stack)
    say(f"the state agrees with the cloud; now: pulumi up -s {stack}")


def _delete_broken(stack: str, setting: Callable[[str], str | None]) -> list[str]:
    cloud = connect(setting)
    broken = [
        s for s in cloud.compute.servers() if s.status == "ERROR" and s.name.startswith(f"{cloud_prefix(stack)}-")
    ]
    for server in broken:
        cloud.delete_server(server.id, wait=True, timeout=SERVER_SECONDS)
    return [server.name for server in broken]


def _pulumi(*arguments: str, check: bool = True) -> str:
    done = subprocess.run(["pulumi", *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode and check:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        msg = f"pulumi {arguments[0]} failed: {''.join(last)}"
        raise RecoverError(msg)
    return done.stdout if done.returncode == 0 else ""
