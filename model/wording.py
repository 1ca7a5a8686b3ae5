"""Messages about missing or ambiguous objects of the cloud."""

from collections.abc import Iterable

SHOWN = 20
"""The most names that a message lists."""


def is_missing(kind: str, name: str, available: Iterable[str | None]) -> str:
    """Say that an object does not exist, and what is available; objects may have no name."""
    names = sorted({one for one in available if one})
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"{kind} '{name}' does not exist (available: {', '.join(names[:SHOWN]) or 'none'}{more})"


def several(kind: str, name: str, number: int) -> str:
    """Say that several objects have one name."""
    return f"{kind} '{name}': {number} have this name, so none of them can be meant; rename all but one"
