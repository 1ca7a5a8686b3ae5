"""OMERO's own configuration in a stack file: its keys, checked against omero_config.yaml, and their values as text."""

import difflib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field, WithJsonSchema

from model import tables, web_apps
from model.field_types import SEALED, EachOnce, Section, Shape

TABLE: Final = Path(__file__).with_suffix(".yaml")
SIMILAR: Final = 0.9
"""How alike an unknown key and a known one are, of 1, where the unknown one is taken for a mistake."""


def _is_list_or_mapping(text: str) -> bool:
    try:
        return isinstance(json.loads(text), list | dict)
    except ValueError:
        return False


CHECKS: Final[Mapping[str, Callable[[str], bool]]] = {
    "a whole number": lambda text: bool(re.fullmatch("-?[0-9]{1,18}", text)),
    "true or false": lambda text: text.lower() in ("true", "t", "1", "false", "f", "0"),
    "a list or a mapping": _is_list_or_mapping,
    "an address of this site, as in /static/logo.png (browsers load no pictures from elsewhere)": lambda text: (
        not re.match("[A-Za-z][A-Za-z0-9+.-]*://|//", text)
    ),
    "options without the size of the heap (set heapMib of the node)": lambda text: (
        not re.search(r"-Xm[sx]|-XX:\w*(HeapSize|RAMPercentage)", text)
    ),
}
"""Whether a text is such a value, by the words that messages and the table use."""


def _text(value: Any) -> str:
    """A value as `omero config set` takes it: OMERO reads lists and mappings as JSON."""
    if value is None:
        msg = "has no value: write '' for an empty one"
        raise ValueError(msg)  # pydantic reports ValueError
    # Sorted: the engine hands over mappings so, and the machine's bytes must not depend on who reads the stack file.
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
    """A program's keys: `owned` ones with what to use instead, and `known` ones; `complete`: there are no others.

    `values` are the keys whose value must pass one of the CHECKS. The program does not start with another one, or takes
    it for something else.
    """

    name: str
    complete: bool
    owned: Mapping[str, tuple[str, ...]]
    values: Mapping[str, tuple[str, ...]]
    known: tuple[str, ...]

    def problem(self, key: str) -> str | None:
        """Why a stack file cannot set a key; None where it can."""
        if owner := self.owner(key):
            return owner
        if any(fnmatchcase(key, pattern) for pattern in self.known):
            return None
        if close := difflib.get_close_matches(key, self.known, n=1, cutoff=SIMILAR):
            return f"is no key of {self.name}; did you mean '{close[0]}'?"
        return f"is no key of {self.name}" if self.complete else None

    def owner(self, key: str) -> str | None:
        """Why the program alone sets a key; None where it does not."""
        for instead, patterns in self.owned.items():
            if any(fnmatchcase(key, pattern) for pattern in patterns):
                return f"is not for a stack file: {instead}"
        return None

    def wrong_value(self, key: str, value: str) -> str | None:
        """What the value of a key must be; None where it is that, or cannot be read here."""
        if value == SEALED:
            return None
        wrong = (
            what
            for what, patterns in self.values.items()
            if any(fnmatchcase(key, pattern) for pattern in patterns) and not CHECKS[what](value)
        )
        return next((f"must be {what}" for what in wrong), None)


@cache
def table() -> dict[str, Keys]:
    """The keys of `omero` (OMERO.server) and `web` (OMERO.web and the applications beside it)."""
    document: dict[str, dict[str, Any]] = tables.read(TABLE)
    for what, key in web_apps.own_keys():
        document["web"]["known"].append(key)
        if what != web_apps.ANYTHING:
            document["web"]["values"].setdefault(what, []).append(key)
    return {
        program: Keys(
            name=about["name"],
            complete=about["complete"],
            owned={instead: tuple(patterns) for instead, patterns in about["owned"].items()},
            values={what: tuple(patterns) for what, patterns in about["values"].items()},
            known=tuple(about["known"]),
        )
        for program, about in document.items()
    }


def _problems(program: str, config: Mapping[str, str]) -> Iterator[str]:
    keys = table()[program]
    for key, value in config.items():
        if problem := keys.problem(key) or keys.wrong_value(key, value):
            yield f"config: '{key}' {problem}"


class ServerConfig(Section):
    """OMERO.server's own configuration."""

    config: Config = Field({}, description="Keys of OMERO.server and their values, over what the program sets")

    def problems(self) -> Iterator[str]:
        """Keys that are not for a stack file."""
        yield from _problems("omero", self.config)


class WebConfig(Section):
    """OMERO.web's own configuration."""

    config: Config = Field({}, description="Keys of OMERO.web and their values, over what the program sets")

    def problems(self) -> Iterator[str]:
        """Keys that are not for a stack file."""
        yield from _problems("web", self.config)


class OmeroWeb(WebConfig):
    """OMERO.web: the applications beside it, and its own configuration."""

    apps: Annotated[tuple[web_apps.AppName, ...], EachOnce] | None = Field(
        None, description="Applications beside OMERO.web; of a release, the stack's where absent. None by default"
    )


def merged(*layers: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Keys and values of all layers, sorted; of a key that several have, the last one counts."""
    whole: dict[str, str] = {}
    for layer in layers:
        whole |= layer
    return tuple(sorted(whole.items()))
