"""Secrets that a stack file or a preview shows in plain text."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from idr.review.preview import Preview
from model.plain_secrets import PUBLISHED_KEYS

HIDDEN = "[secret]"
SHOWN = "[a secret that was readable]"
"""Replaces readable secrets in a stored preview."""
# The engine's placeholder for a value that is known after the update.
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")
# In a URL, such as http://user:password@proxy:3128.
_PASSWORD = re.compile(r"://[^/?#:@\s]*:[^/?#\s]+@")
_SECRET_NAME = re.compile(r"secret(_?key)?$|passw|passphrase|token$|private_?key$|^userdata$|^stdin$", re.IGNORECASE)


def in_stack_file(document: Mapping[str, Any]) -> list[str]:
    """Return keys of a stack file whose value must be encrypted and is not."""
    return [key for key, value in _leaves(document.get("config") or {}) if _shows(key, value)]


def in_preview(preview: Preview) -> list[str]:
    """Return configuration keys and properties of resources, as `resource: property`, that show a secret."""
    shown = [key for key, value in _leaves(preview.config) if _shows(key, value)]
    for step in preview.steps:
        if step.new:
            values = [*_leaves(step.new.inputs), *_leaves(step.new.outputs)]
            shown += [f"{step.name}: {path}" for path, value in values if _shows(path, value)]
    return sorted(set(shown))


def redacted(value: Any, key: str = "") -> Any:
    """Return a preview's JSON with SHOWN instead of each readable secret."""
    if isinstance(value, Mapping):
        return {name: redacted(inner, str(name)) for name, inner in value.items()}
    if isinstance(value, list):
        return [redacted(inner, key) for inner in value]
    return SHOWN if isinstance(value, str) and _shows(key, value) else value


def _shows(path: str, value: str) -> bool:
    if value in ("", HIDDEN, UNKNOWN):
        return False
    if value == SHOWN:
        return True
    name = re.split(r"[.:]", path)[-1]
    if _PRIVATE_KEY.search(value) or _PASSWORD.search(value):
        return True
    return bool(name not in PUBLISHED_KEYS and _SECRET_NAME.search(name))


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield every text in nested data with its path, except encrypted ones (`secure: ...`)."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key != "secure":
                yield from _leaves(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _leaves(inner, f"{path}.{number}")
    elif isinstance(value, str):
        yield path, value
