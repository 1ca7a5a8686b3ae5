"""From what files say to typed settings, or to every mistake at once: file, key, what is allowed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from model.overrides import Keys, Origins, merge, origins
from model.settings import Distribution, Settings

SHORTEST_SECRET = 32
DEMO_STACK = "local"
OVERRIDES = "overrides"
SECRET_WORDS = ("password", "secret", "token")
SECRET_KEYS = {"stackSecret": "idr:stackSecret", "certificate": "--path idr:certificate.key"}
"""Top-level keys that only Pulumi's encryption may keep, and how it is told to."""
PUBLISHED_KEYS = ("publicPassword",)
"""Keys that are named like secrets and are none: every visitor is told their value."""


class SettingsError(Exception):
    """The settings are not usable; the text names every mistake, a line each."""


@dataclass(frozen=True)
class Source:
    """Where settings were read: the stack's name and file, and which keys of it are encrypted there.

    `origins` says for values of other files which one that is.
    """

    stack: str
    file: str
    encrypted: frozenset[str] = frozenset()
    origins: Origins = field(default_factory=dict)

    def file_of(self, path: Keys) -> str:
        """The file that says what stands at `path`, or in it."""
        named = {file for known, file in self.origins.items() if known[: len(path)] == path}
        return named.pop() if len(named) == 1 else self.file


def parse(values: Mapping[str, Any], source: Source) -> Settings:
    """The settings of a stack from the values under `idr:`, without that prefix.

    Raises SettingsError with every mistake, a line each: file, key, what is wrong.
    """
    plain = dict(_plain_secrets(values, source.encrypted))
    wrong = [f"{source.file}: idr:{key}: {reason}" for key, reason in plain.items()]
    refused = {(key,) for key in plain}
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        wrong += [
            f"{source.file_of(_path(item))}: {_key(_path(item))}: {problem}"
            for item in error.errors()
            if _path(item)[:1] not in refused
            for problem in _problems(item)
        ]
        raise SettingsError("\n".join(wrong)) from None
    wrong += [f"{source.file}: {line}" for line in _beyond_types(settings, source.stack)]
    if wrong:
        raise SettingsError("\n".join(wrong))
    return settings


def with_overrides(values: Mapping[str, Any], source: Source, folder: Path) -> tuple[dict[str, Any], Source]:
    """The values with those of the file that `overrides` names (in `folder`), and where each came from.

    Raises SettingsError when that file is not there, is no YAML mapping, or holds what only a stack file may.
    """
    below = dict(values)
    name = below.pop(OVERRIDES, None)
    if name is None:
        return below, source
    above = _read_overrides(folder, str(name), source.file)
    merged = merge(below, above)
    where = origins(merged, above, source.file, str(name))
    return merged, Source(source.stack, source.file, source.encrypted, where)


def _read_overrides(folder: Path, name: str, named_by: str) -> dict[str, Any]:
    try:
        above = yaml.safe_load((folder / name).read_text())
    except OSError as error:
        msg = f"{named_by}: idr:{OVERRIDES}: cannot read '{name}': {error.strerror}"
        raise SettingsError(msg) from None
    except yaml.YAMLError as error:
        msg = f"{name}: is not YAML: {str(error).splitlines()[0]}"
        raise SettingsError(msg) from None
    if not isinstance(above, dict) or not all(isinstance(key, str) for key in above):
        msg = f"{name}: must be a mapping of settings, written without `idr:`"
        raise SettingsError(msg)
    wrong = [f"{name}: idr:{key}: {reason}" for key, reason in _plain_secrets(above, frozenset())]
    if wrong:
        raise SettingsError("\n".join(wrong))
    return above


def _plain_secrets(values: Mapping[str, Any], encrypted: frozenset[str]) -> Iterator[tuple[str, str]]:
    for key in values:
        if key in SECRET_KEYS and key not in encrypted:
            yield key, f"is in plain text; keep it with: pulumi config set --secret {SECRET_KEYS[key]}"
        elif key not in {*SECRET_KEYS, *PUBLISHED_KEYS} and any(word in key.lower() for word in SECRET_WORDS):
            yield key, "passwords are derived from idr:stackSecret, none is written down; remove it"


def _beyond_types(settings: Settings, stack: str) -> Iterator[str]:
    secret = settings.stack_secret
    if secret is not None and len(secret.get_secret_value()) < SHORTEST_SECRET:
        yield f"idr:stackSecret: needs {SHORTEST_SECRET} characters or more; make one with: openssl rand -hex 32"
    if settings.omero.distribution == Distribution.DEMO and stack != DEMO_STACK:
        yield "idr:omero.distribution: 'demo' is for the stack 'local' only; use 'official'"


def _path(item: ErrorDetails) -> Keys:
    return tuple(str(part) for part in item["loc"])


def _key(path: Keys) -> str:
    return f"idr:{'.'.join(path)}" if path else "idr"


def _problems(item: ErrorDetails) -> list[str]:
    if item["type"] == "extra_forbidden":
        return ["is not a setting"]
    if item["type"] == "missing":
        return ["is required"]
    if item["type"] in ("dict_type", "model_type"):
        return ["must be a mapping of keys to values"]
    texts = item["msg"].removeprefix("Value error, ").splitlines()
    given = item["input"]
    shown = not isinstance(given, dict | list) and not any(word in _key(_path(item)).lower() for word in SECRET_WORDS)
    return [f"{text} (given: {given!r})" if shown else text for text in texts]
