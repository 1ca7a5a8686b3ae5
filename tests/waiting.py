"""Waits for a condition, for a limited time."""

import time
from collections.abc import Callable


def wait_until(
    condition: Callable[[], object], seconds: float, *, pause: float = 0.1, state: Callable[[], object] = lambda: ""
) -> None:
    """Wait until a condition is true. Raises AssertionError, with the state, if it is not so within the time."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds:g} s: {state()}"
        time.sleep(pause)
