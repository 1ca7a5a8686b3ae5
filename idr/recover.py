"""After an `up` that was cut off or that the cloud failed: state and cloud agree again; the next one completes it."""

from collections.abc import Callable

import typer

from idr import engine
from idr.cli import Stack
from idr.cloud import asking, connect
from model.plan import cloud_prefix

Say = Callable[[str], None]
SERVER_SECONDS = 120


def command(stack: Stack) -> None:
    """After an `up` that was cut off or that the cloud failed, make the next one able to complete it.

    Unlocks the state, deletes servers that ended in ERROR, and lets the state forget what is not there.
    Data volumes are not touched.
    """
    recover(stack, typer.echo)


def recover(stack: str, say: Say) -> None:
    """Unlock the state, delete servers that ended in ERROR, and let the state forget what is not there.

    Data volumes are not touched. Raises EngineError or CloudError.
    """
    if engine.attempt("cancel", "--yes", "--stack", stack).returncode == 0:
        say("no lock of an earlier update is left on the state")
    config = engine.config(stack)
    for name in asking(lambda: _delete_broken(stack, lambda key: config.get(f"openstack:{key}"))):
        say(f"server {name} had ended in ERROR: deleted")
    engine.run("refresh", "--yes", "--skip-preview", "--clear-pending-creates", "--stack", stack)
    say(f"the state agrees with the cloud; now: pulumi up -s {stack}")


def _delete_broken(stack: str, setting: Callable[[str], str | None]) -> list[str]:
    cloud = connect(setting)
    broken = [
        s for s in cloud.compute.servers() if s.status == "ERROR" and s.name.startswith(f"{cloud_prefix(stack)}-")
    ]
    for server in broken:
        cloud.delete_server(server.id, wait=True, timeout=SERVER_SECONDS)
    return [server.name for server in broken]
