"""The lock on the state: its owner, and whether that update still runs."""

import os
import re
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from idr import engine
from idr.engine import EngineError
from idr.errors import IdrError
from idr.resources import STACK
from idr.state import State

OWNER = re.compile(r"created by (?P<user>[^\s@]*)@(?P<host>\S+) \(pid (?P<pid>\d+)\) at (?P<since>\S+)")
LOCKED = "the stack is currently locked"
UNREADABLE = "unexpected end of JSON input"


class LockError(IdrError):
    """An update of this stack is running, or may be running."""


@dataclass(frozen=True)
class Lock:
    """The owner of a lock, and its time."""

    user: str
    host: str
    pid: int
    since: str

    def __str__(self) -> str:
        return f"{self.user}@{self.host} (process {self.pid}) since {self.since}"

    def is_running(self) -> bool:
        """Return whether the update certainly runs: it started on this machine, and its process is an engine."""
        return self.host == socket.gethostname() and _command(self.pid).startswith("pulumi")

    def is_over(self) -> bool:
        """Return whether the update has certainly ended: it started on this machine, and its process has ended."""
        return self.host == socket.gethostname() and not self.is_running()


def locks(message: str) -> tuple[Lock, ...]:
    """Parse the locks in the message of a refused command of the engine."""
    return tuple(Lock(one["user"], one["host"], int(one["pid"]), one["since"]) for one in OWNER.finditer(message))


def is_held(stack: str, known: State, agree: Callable[[str], bool]) -> bool:
    """Return whether the state is locked by an update that has ended.

    Changes nothing. Asks `agree` if the update started on another machine, or the lock cannot be read. Raises LockError
    if the update runs or the answer is no.
    """
    message = _refusal(stack, known)
    if message is None:
        return False
    held = locks(message)
    if running := next((lock for lock in held if lock.is_running()), None):
        msg = f"an update of '{stack}' is running: {running}. Wait for its end, or stop it with Ctrl-C there."
        raise LockError(msg)
    elsewhere = [str(lock) for lock in held if not lock.is_over()]
    if not held:
        elsewhere = ["an update that could not write down who it is (was a disk full?)"]
    if elsewhere and not agree(
        f"The state is locked by {' and '.join(elsewhere)}. Only continue if that update has ended: it would go on, "
        "and both would write the state. Has it ended?"
    ):
        msg = "nothing was changed: the state is still locked"
        raise LockError(msg)
    return True


def _refusal(stack: str, known: State) -> str | None:
    """Return the engine's message for a harmless command that needs the lock; None if the state is not locked."""
    root = next((one.urn for one in known.resources if one.type == STACK), None)
    if root:
        options = ("--yes", "--skip-preview", "--skip-pending-creates", "--target", root, "--stack", stack)
        done = engine.attempt("refresh", *options)
    else:
        # The state has no resources yet, so importing its own export loses nothing.
        export = engine.run("stack", "export", "--stack", stack)
        done = engine.attempt("stack", "import", "--stack", stack, text_input=export)
    if done.returncode == 0:
        return None
    text = done.stderr + done.stdout
    if LOCKED in text or UNREADABLE in text:
        return text
    raise EngineError(f"pulumi refresh failed: {engine.failure(done)}")


def _command(pid: int) -> str:
    try:
        return (Path("/proc") / str(pid) / "comm").read_text()
    except OSError:
        return "" if not _exists(pid) else "pulumi"


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
