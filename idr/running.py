"""Find a running update of a stack, without a lock on the state: a lock would block the update."""

import json
from collections.abc import Iterator
from urllib.parse import urlsplit

from idr import checkout, engine, state
from idr.recover.lock import Lock
from idr.state import State


def notice(stack: str) -> str | None:
    """Return a notice if an update of the stack is running or was interrupted; otherwise, or without a state, None."""
    try:
        return of(stack, state.read(stack))
    except (engine.EngineError, checkout.NoCheckoutError):
        return None


def of(stack: str, known: State) -> str | None:
    """Return the notice for a known state.

    Only a state in a folder shows the owner of the lock. For others, pending operations are the sign.
    """
    running = [lock for lock in _locks(stack) if not lock.is_over()]
    if running:
        return f"an update of '{stack}' is running: {' and '.join(map(str, running))}. What is shown here may change."
    if known.pending:
        return (
            f"an update of '{stack}' is running, or was cut off ({len(known.pending)} operations have not ended). "
            f"When nobody runs one: `bin/idr recover --stack {stack}`, then `pulumi up -s {stack}`."
        )
    return None


def _locks(stack: str) -> Iterator[Lock]:
    address = urlsplit(engine.backend())
    if address.scheme != "file":
        return
    # `file://.local/state` is beside the program, `file:///shared/idr` is absolute.
    folder = checkout.folder() / f"{address.netloc}{address.path}" / ".pulumi" / "locks"
    for file in sorted(folder.glob(f"**/{stack}/*.json")):
        try:
            lock = json.loads(file.read_text())
            yield Lock(lock["username"], lock["hostname"], lock["pid"], lock["timestamp"])
        except (OSError, ValueError, LookupError, TypeError):  # removed in the meantime, or not written yet
            continue
