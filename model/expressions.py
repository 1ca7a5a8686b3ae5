"""Regular expressions of a stack file: what Python, which checks them, and nginx, which uses them, read alike."""

import re
from typing import Final

_PARTS: Final = re.compile(r"\\.|\(\?<?.|\{,")
"""The parts of an expression that Python, nginx or PCRE may read each in its own way."""
_SAME_FOR_ALL: Final = frozenset({"(?:", "(?=", "(?!", "(?<=", "(?<!", *(f"\\{letter}" for letter in "dDwWsSbB")})


def doubtful(expression: str) -> tuple[str, ...]:
    """The parts of an expression that not all of them may read alike, each once."""
    return tuple(dict.fromkeys(filter(_is_doubtful, _PARTS.findall(expression))))


def _is_doubtful(part: str) -> bool:
    # nginx itself takes one of two backslashes.
    is_plain_character = part[0] == "\\" and not part[1].isalpha() and part != "\\\\"
    return part not in _SAME_FOR_ALL and not is_plain_character
