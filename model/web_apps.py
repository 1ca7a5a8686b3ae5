"""The applications that OMERO.web can serve, and the needs of each: web_apps.yaml."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import WithJsonSchema

from model import tables
from model.addresses import Address
from model.spelling import instead

TABLE: Final = Path(__file__).with_suffix(".yaml")

ANYTHING: Final = "anything"
"""The check of a key with any value."""


@dataclass(frozen=True)
class App:
    """An application: its name in a stack file and in Django, and its additions to OMERO.web's configuration.

    `label` is Django's short name of it, under which OMERO.web puts its addresses.
    `config` and `entries` are keys with values as text: one for the key, and one more for the list under the key.
    `keys` are its own ones by the check of their values. `origins` are other sites that its pages load from.
    `addresses` and `arguments` are of a site's own application; the others' are in model/addresses.yaml.
    """

    name: str
    django: str
    label: str
    is_root: bool
    config: tuple[tuple[str, str], ...]
    entries: tuple[tuple[str, str], ...]
    keys: Mapping[str, tuple[str, ...]]
    origins: Mapping[str, tuple[str, ...]]
    addresses: tuple[Address, ...] = ()
    arguments: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def has(self, key: str) -> bool:
        """Return whether a key of OMERO.web's configuration belongs to the application."""
        return any(key in keys for keys in self.keys.values())


@cache
def table() -> Mapping[str, App]:
    """Return all applications by name, in the order in which OMERO.web loads them."""
    document: dict[str, dict[str, Any]] = tables.read(TABLE)
    return {name: _app(name, about) for name, about in document.items()}


def _app(name: str, about: Mapping[str, Any]) -> App:
    return App(
        name=name,
        django=about["django"],
        label=about["django"],
        is_root=about.get("root", False),
        config=tuple((key, _text(value)) for key, value in about.get("config", {}).items()),
        entries=tuple((key, _text(one)) for key, entries in about.get("append", {}).items() for one in entries),
        keys={what: tuple(keys) for what, keys in about["keys"].items()},
        origins={directive: tuple(sites) for directive, sites in about.get("origins", {}).items()},
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def named(names: Iterable[str], of_site: Iterable[App] = ()) -> tuple[App, ...]:
    """Return the applications of these names, in OMERO.web's order; the site's own last."""
    chosen = set(names)
    return tuple(app for app in (*table().values(), *of_site) if app.name in chosen)


def unknown(where: str, names: Iterable[str], of_site: Iterable[str]) -> Iterator[str]:
    """Yield unknown names of applications, under `where` in the stack file."""
    known = [*table(), *of_site]
    for name in names:
        if name not in known:
            yield (
                f"{where}.apps: '{name}' is no application that is known (to add it: web.siteApps.{name}, and its "
                f"packages by web.requirements and `idr pin`); {instead(name, known)}"
            )


def own_keys() -> Iterator[tuple[str, str]]:
    """Yield the keys of all applications, each with the check of its value."""
    for app in table().values():
        for what, names in app.keys.items():
            yield from ((what, name) for name in names)


def unserved(where: str, config: Iterable[str], served: Collection[str]) -> Iterator[str]:
    """Yield keys, under `where` in the stack file, of applications that are not served there."""
    for key in config:
        owner = next((app.name for app in table().values() if app.has(key)), None)
        if owner and owner not in served:
            yield f"{where}.config: '{key}' is of {owner}, which is not in web.apps"


AppName = Annotated[
    str,
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "enum": sorted(table())},
                {"type": "string", "description": "An application of `web.siteApps`"},
            ]
        }
    ),
]
"""The name of an application in a stack file."""
