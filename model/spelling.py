"""What a name that is not known might have been meant for."""

import difflib
from collections.abc import Iterable


def instead(name: str, known: Iterable[str]) -> str:
    """The known name that looks most like `name`, or all of them where none does: the end of a message."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1)
    return f"did you mean '{close[0]}'?" if close else f"there are: {', '.join(names) or 'none'}"
