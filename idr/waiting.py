"""Says what a command waits for, so that nobody takes a slow cloud for a program that hangs."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

PATIENCE_SECONDS = 5.0
"""How long a command says nothing."""
LINE_SECONDS = 60.0
"""Between two lines of progress where no terminal shows it."""


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


class Log:
    """A line a minute of how far a long command is, where `console` is no terminal, which has a bar for that."""

    def __init__(self, console: "Console") -> None:
        self._is_wanted = not console.is_terminal
        self._last = time.monotonic()

    def show(self, text: str) -> None:
        """Say it on standard error, if the last line was a minute ago."""
        now = time.monotonic()
        if self._is_wanted and now - self._last >= LINE_SECONDS:
            self._last = now
            _say(text)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
