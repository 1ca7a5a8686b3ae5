"""Find secrets in plain text that Pulumi must encrypt."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from model.overrides import Keys

WORDS: Final = ("password", "secret", "token")
ENDINGS: Final = (*WORDS, "secretkey")
"""Suffixes of the names of secrets inside other settings."""
KEYS: Final = {
    "stackSecret": "idr:stackSecret",
    "previousStackSecret": "idr:previousStackSecret",
    "certificate": "--path idr:certificate.key",
}
"""Top-level keys that must be encrypted, with the option of `pulumi config set`."""
OF_OMERO: Final = ("omero", "web", "releases")
"""Top-level keys with OMERO's configuration, which may have secrets; other names there are a site's own."""
HOLDERS: Final = ("s3Mounts", "storage", *OF_OMERO)
"""Top-level keys that may have secrets inside, which must be encrypted."""
PUBLISHED_KEYS: Final = ("publicPassword",)
"""Keys with names like secrets whose values are public."""

PASSWORD_IN_ADDRESS: Final = re.compile(r"://[^/?#:@\s]*:[^/?#\s]+@")


def of_stack_file(values: Mapping[str, Any], encrypted: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Yield the keys of secrets that are not encrypted, or not allowed, each with its problem.

    `encrypted` are the top-level keys with encrypted values.
    """
    yield from _at_the_top(values, encrypted)
    holders = {key: values[key] for key in HOLDERS if key in values and key not in encrypted}
    for path in filter(_is_named, _inside(holders)):
        yield ".".join(path), f"is in plain text; keep it with: pulumi config set --secret --path '{_option(path)}'"


def of_overrides(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the keys of secrets in a file that may have none."""
    yield from _at_the_top(values, frozenset())
    for path in _inside(values):
        yield (
            ".".join(path),
            f"is a secret, which only the stack file can keep: pulumi config set --secret --path '{_option(path)}'",
        )


def _at_the_top(values: Mapping[str, Any], encrypted: frozenset[str]) -> Iterator[tuple[str, str]]:
    for key in values:
        if key in KEYS and key not in encrypted:
            yield key, f"is in plain text; keep it with: pulumi config set --secret {KEYS[key]}"
        elif key not in {*KEYS, *PUBLISHED_KEYS} and any(word in key.lower() for word in WORDS):
            yield key, "passwords are derived from idr:stackSecret, none is written down; remove it"


def _inside(value: Any, path: Keys = ()) -> Iterator[Keys]:
    """Yield the paths to secrets inside other settings, by the names of keys, or as passwords in URLs."""
    if isinstance(value, Mapping | list):
        for key, inner in value.items() if isinstance(value, Mapping) else enumerate(value):
            yield from _inside(inner, (*path, str(key)))
        return
    if (_is_named(path) and value and not isinstance(value, bool)) or (
        isinstance(value, str) and PASSWORD_IN_ADDRESS.search(value)
    ):
        yield path


def _is_named(path: Keys) -> bool:
    names = path[1:]
    if path[0] in OF_OMERO:
        names = path[path.index("config") :] if "config" in path else ()
    return any(part.lower().endswith(ENDINGS) for part in names)


def _option(path: Keys) -> str:
    """Format a path for Pulumi's `--path`."""
    return "idr:" + path[0] + "".join(map(_step, path[1:]))


def _step(part: str) -> str:
    if part.isdigit():
        return f"[{part}]"
    return f'["{part}"]' if "." in part else f".{part}"
