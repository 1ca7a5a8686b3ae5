"""Says what a command waits for, so that nobody takes a slow cloud for a program that hangs."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

PATIENCE_SECONDS = 5.0
"""How long a command says nothing."""


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """Say on standard error what is waited for, if that takes long."""
    notice = threading.Timer(PATIENCE_SECONDS, _say, [f"waiting for {what}"])
    notice.daemon = True
    notice.start()
    try:
        yield
    finally:
        notice.cancel()


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
