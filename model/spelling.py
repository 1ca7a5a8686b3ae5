"""Suggestions for unknown names."""

import difflib
from collections.abc import Iterable


def instead(name: str, known: Iterable[str]) -> str:
    """Suggest the known name most similar to `name`, or list all without a similar one: the end of a message."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1)
    return f"did you mean '{close[0]}'?" if close else f"there are: {', '.join(names) or 'none'}"
