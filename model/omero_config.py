"""OMERO's configuration in a stack file: its keys, checked against omero_config.yaml, and their values as text."""

import difflib
import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field, WithJsonSchema

from model import tables, web_apps
from model.field_types import SEALED, EachOnce, Section, Shape

TABLE: Final = Path(__file__).with_suffix(".yaml")
SIMILAR: Final = 0.9
"""The similarity (0 to 1) from which a known key is suggested instead of an unknown one."""


def _is_list_or_mapping(text: str) -> bool:
    try:
        return isinstance(json.loads(text), list | dict)
    except ValueError:
        return False


def _is_list_of_those(text: str) -> bool:
    return _is_list_or_mapping(text) and all(isinstance(entry, list | dict) for entry in json.loads(text))


CHECKS: Final[Mapping[str, Callable[[str], bool]]] = {
    "a whole number": lambda text: bool(re.fullmatch("-?[0-9]{1,18}", text)),
    "true or false": lambda text: text.lower() in ("true", "t", "1", "false", "f", "0"),
    "a list or a mapping": _is_list_or_mapping,
    "a list whose entries are lists or mappings themselves": _is_list_of_those,
    "an address of this site, as in /static/logo.png (browsers load no pictures from elsewhere)": lambda text: (
        not re.match("[A-Za-z][A-Za-z0-9+.-]*://|//", text)
    ),
    "options without the size of the heap (set heapMib of the node)": lambda text: (
        not re.search(r"-Xm[sx]|-XX:\w*(HeapSize|RAMPercentage)", text)
    ),
}
"""Checks of values, by their names in messages and in the table."""


def _text(value: Any) -> str:
    """Convert a value for `omero config set`: OMERO reads lists and mappings as JSON."""
    if value is None:
        msg = "has no value: write '' for an empty one"
        raise ValueError(msg)  # pydantic reports ValueError
    # Sorted, as the engine passes mappings: the files on nodes must not depend on who reads the stack file.
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
    if text != SEALED and not text.isprintable() and text:
        msg = "must be one line without control characters"
        raise ValueError(msg)
    return text


Key = Annotated[str, Shape("[A-Za-z][A-Za-z0-9_.-]{0,99}", "a key of OMERO's configuration, as in omero.web.page_size")]
Value = Annotated[
    str, BeforeValidator(_text), WithJsonSchema({"description": "Text, a number, true or false, a list or a mapping"})
]
Config = dict[Key, Value]


@dataclass(frozen=True)
class Keys:
    """The keys of a program: `owned` ones with the setting to use instead, and `known` ones, which are all others.

    `values` are the keys whose value must pass one of the CHECKS: the program does not start with another one, or
    misreads it. A key with the suffix of one of its `servers` is only for that one.
    """

    name: str
    servers: frozenset[str]
    owned: Mapping[str, tuple[str, ...]]
    values: Mapping[str, tuple[str, ...]]
    known: tuple[str, ...]

    def unknown(self, key: str) -> str | None:
        """Return the error for a key that the program does not have; None if it has it."""
        if self._is_of(key, self.known) or self.owner(key):
            return None
        return self.misspelt(key) or f"is no key of {self.name}"

    def misspelt(self, key: str) -> str | None:
        """Suggest the key that was meant, if one is similar, or ends with the unknown one."""
        if self._is_of(key, self.known):
            return None
        close = difflib.get_close_matches(key, self.known, n=1, cutoff=SIMILAR)
        close += [known for known in self.known if known.endswith(f".{key}")]
        return f"is no key of {self.name}; did you mean '{close[0]}'?" if close else None

    def owner(self, key: str) -> str | None:
        """Return the error for a key that only this project sets; None if a stack file may set it."""
        for instead, patterns in self.owned.items():
            if self._is_of(key, patterns):
                return f"is not for a stack file: {instead}"
        return None

    def wrong_value(self, key: str, value: str) -> str | None:
        """Return the error for a wrong value; None if the value is valid or encrypted."""
        if value == SEALED:
            return None
        wrong = (
            what for what, patterns in self.values.items() if self._is_of(key, patterns) and not CHECKS[what](value)
        )
        return next((f"must be {what}" for what in wrong), None)

    def _is_of(self, key: str, patterns: Iterable[str]) -> bool:
        of_all, _, last = key.rpartition(".")
        names = (key, of_all) if last in self.servers else (key,)
        return any(fnmatchcase(name, pattern) for pattern in patterns for name in names)


@cache
def table() -> dict[str, Keys]:
    """Return the keys of `omero` (OMERO.server) and `web` (OMERO.web and the applications beside it)."""
    document: dict[str, dict[str, Any]] = tables.read(TABLE)
    for what, key in web_apps.own_keys():
        document["web"]["known"].setdefault("the applications beside it", []).append(key)
        if what != web_apps.ANYTHING:
            document["web"]["values"].setdefault(what, []).append(key)
    return {
        program: Keys(
            name=about["name"],
            servers=frozenset(about["servers"]),
            owned={instead: tuple(patterns) for instead, patterns in about["owned"].items()},
            values={what: tuple(patterns) for what, patterns in about["values"].items()},
            known=tuple(chain.from_iterable(about["known"].values())),
        )
        for program, about in document.items()
    }


def _problems(program: str, config: Mapping[str, str]) -> Iterator[str]:
    keys = table()[program]
    for key, value in config.items():
        if problem := keys.owner(key) or keys.wrong_value(key, value):
            yield f"config: '{key}' {problem}"


def _unknown(program: str, config: Iterable[str]) -> Iterator[str]:
    keys = table()[program]
    yield from (f"config: '{key}' {problem}" for key in config if (problem := keys.unknown(key)))


class ServerConfig(Section):
    """OMERO.server's configuration."""

    config: Config = Field({}, description="Keys of OMERO.server and their values, over what the program sets")

    def problems(self) -> Iterator[str]:
        """Yield keys that are not for a stack file."""
        yield from _problems("omero", self.config)

    def unknown(self, others: Collection[str]) -> Iterator[str]:
        """Return keys that are neither OMERO.server's nor among the `others`, which extensions read."""
        for text in _unknown("omero", (key for key in self.config if key not in others)):
            yield f"{text} (name it in omero.otherKeys if a jar, a script or a newer server reads it)"


class WebConfig(Section):
    """OMERO.web's configuration."""

    config: Config = Field({}, description="Keys of OMERO.web and their values, over what the program sets")

    def problems(self) -> Iterator[str]:
        """Yield keys that are unknown or not for a stack file."""
        yield from _problems("web", self.config)
        for text in _unknown("web", self.config):
            yield text if text.endswith("?") else f"{text} (one of an application of your own is in its own config)"


class OmeroWeb(WebConfig):
    """OMERO.web: the applications beside it, and its own configuration."""

    apps: Annotated[tuple[web_apps.AppName, ...], EachOnce] | None = Field(
        None, description="Applications beside OMERO.web; those of a release replace those of the stack"
    )


def merged(*layers: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Merge all layers, sorted by key; later layers override earlier ones."""
    result: dict[str, str] = {}
    for layer in layers:
        result |= layer
    return tuple(sorted(result.items()))
