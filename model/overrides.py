"""Merge a second file of settings (overrides) into a stack file."""

from collections.abc import Iterator, Mapping
from typing import Any

Keys = tuple[str, ...]
"""The path of keys to a value."""

Origins = dict[Keys, str]
"""For each path of a value, the name of its file."""


def merge(base: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Merge `above` into `base`.

    Mappings are merged key by key. Any other value (also a list) replaces the former one; null removes the key.
    """
    merged = dict(base)
    for key, value in above.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, Mapping):
            below = merged.get(key)
            merged[key] = merge(below if isinstance(below, Mapping) else {}, value)
        else:
            merged[key] = value
    return merged


def nothing_to_take(base: Mapping[str, Any], above: Mapping[str, Any]) -> Iterator[Keys]:
    """Yield the paths where `above` removes a key that `base` does not have."""
    for key, value in above.items():
        below = base.get(key)
        if value is None and key not in base:
            yield (key,)
        elif isinstance(value, Mapping):
            inner = below if isinstance(below, Mapping) else {}
            yield from ((key, *path) for path in nothing_to_take(inner, value))


def origins(merged: Mapping[str, Any], above: Mapping[str, Any], below_file: str, above_file: str) -> Origins:
    """Return for each value of the merged settings the file that it came from."""
    return {path: above_file if _has(above, path) else below_file for path in paths(merged)}


def paths(values: Mapping[str, Any], prefix: Keys = ()) -> Iterator[Keys]:
    """Yield the paths to all values that are no mappings, in their order; an empty mapping is a value too."""
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from paths(value, (*prefix, key))
        else:
            yield (*prefix, key)


def _has(values: Any, path: Keys) -> bool:
    for key in path:
        if not isinstance(values, Mapping) or key not in values:
            return False
        values = values[key]
    return True
