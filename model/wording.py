"""How messages say what is wrong with a thing that the cloud should have."""

from collections.abc import Iterable

SHOWN = 20
"""Names of what there is instead that a message shows."""


def is_missing(kind: str, name: str, available: Iterable[str | None]) -> str:
    """That something does not exist, and what there is instead; a cloud's things may have no name."""
    names = sorted({one for one in available if one})
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"{kind} '{name}' does not exist (available: {', '.join(names[:SHOWN]) or 'none'}{more})"


def several(kind: str, name: str, number: int) -> str:
    """That a name is not the name of one thing."""
    return f"{kind} '{name}': {number} have this name, so none of them can be meant; rename all but one"
