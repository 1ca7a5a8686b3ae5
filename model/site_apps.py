"""A site's own applications beside OMERO.web, and their packages.

A stack file has for each the same information as web_apps.yaml and addresses.yaml for the program's applications.
"""

import json
import re
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field, InstanceOf, WithJsonSchema

from model import addresses, expressions, omero_config, web_apps
from model.addons import Addons
from model.addresses import Address
from model.field_types import EachOnce, NodeName, Section, Shape
from model.omero_config import Config, Key, OmeroWeb
from model.web_apps import App

AddressPattern = Annotated[
    str,
    Shape(
        "(?=.{0,300}$)(\\^[A-Za-z0-9_/().?:*+|\\[\\]\\\\^{},<>=!&~%@-]*\\$?|[A-Za-z0-9_/.<>:-]*)",
        "a pattern as in the application's urls.py, ^images/(?P<iid>[0-9]+)/$ or images/<int:iid>/, of at most 300 "
        "characters",
    ),
]
Argument = Annotated[str, Shape("[A-Za-z_][A-Za-z0-9_.-]{0,59}", "the name of an argument, as in limit")]
Module = Annotated[
    str, Shape("[a-z][a-z0-9_]{0,59}([.][a-z][a-z0-9_]{0,59})*", "the name of a module of Python, as in omero_parade")
]
Label = Annotated[str, Shape("[a-z][a-z0-9_]{0,59}", "lower-case letters, digits and underscores, a letter first")]
Origin = Annotated[str, Shape("https://[a-z0-9.-]+(:[0-9]+)?", "another site, as in https://fonts.example.org")]


def _entry(value: Any) -> str:
    # Sorted, as the engine passes mappings: the files on nodes must not depend on who reads the stack file.
    return json.dumps(value, sort_keys=True)


Entry = Annotated[
    str, BeforeValidator(_entry), WithJsonSchema({"description": "An entry of a list of OMERO.web's configuration"})
]

_CONVERTER: Final = re.compile(r"<([^<>]*)>")


class Answer(StrEnum):
    """The kind of answer of an address: a kind of the cache, a visitor's own page, or closed if nobody logs in."""

    THUMBNAILS = "thumbnails"
    PLANES = "planes"
    METADATA = "metadata"
    API = "api"
    VIEWERS = "viewers"
    PAGE = addresses.PAGE
    CLOSED = addresses.CLOSED


class Loads(StrEnum):
    """What pages may load from other sites, by directives of the Content-Security-Policy. Scripts are not allowed."""

    STYLES = "style-src"
    FONTS = "font-src"
    PICTURES = "img-src"
    FRAMES = "frame-src"
    DATA = "connect-src"
    MEDIA = "media-src"


class SiteAddress(Section):
    """An address of an application that visitors may request."""

    path: AddressPattern = Field(description="Its pattern, as in the application's urls.py")
    answer: Answer = Field(
        description="`page`: never kept; a kind of the cache: the same for everybody; `closed`: for users who log in"
    )
    arguments: Annotated[tuple[Argument, ...], EachOnce] | None = Field(
        None, description="The arguments that count; of a page all where absent, of what is kept none"
    )

    def pattern(self) -> str:
        """Return the pattern for the table of addresses, with its alternatives in a group."""
        if "|" not in self.path:
            return self.path
        return f"^(?:{self._body()})$"

    @property
    def regex(self) -> str:
        """The pattern as a regular expression, without the application's prefix."""
        return Address("", "", self.pattern(), "", "").regex

    def _body(self) -> str:
        return self.path.removeprefix("^").removesuffix("$")

    def problems(self) -> Iterator[str]:
        """Yield a leading slash, and expressions that nginx, Python and Django read differently."""
        if self.path.removeprefix("^").startswith("/"):
            yield f"path: {self.path}: is what follows the application's own path, as in its urls.py: no '/' first"
        if not self.path.startswith("^"):
            kinds = [converter.partition(":") for converter in _CONVERTER.findall(self.path)]
            if any(kind not in addresses.ROUTES or not name.isidentifier() for kind, _, name in kinds):
                yield f"path: {self.path}: Django's <int:name> and <slug:name> are taken; for others write ^...$"
            elif _CONVERTER.sub("", self.path).strip(":").count("<"):
                yield f"path: {self.path} has a < that is not closed"
            return
        try:
            re.compile(self._body())
        except re.error as error:
            yield f"path: {self.path} is no regular expression: {error}"
            return
        yield from (f"path: {problem}" for problem in expressions.problems(self.regex, self.path))


class SiteApp(Section):
    """An application of the site's own. Its packages are in `web.requirements`."""

    django: Module = Field(description="Its name in omero.web.apps, as in omero_parade")
    label: Label | None = Field(
        None, description="Its label in Django (apps.py), under which its addresses are; `django`'s last part if absent"
    )
    root: bool = Field(False, description="Its addresses are at /, and / is its page")
    config: Config = Field({}, description="Keys of OMERO.web and its own, and their values")
    append: dict[Key, tuple[Entry, ...]] = Field(
        {}, description="Entries for lists of OMERO.web's configuration, as omero.web.ui.top_links"
    )
    addresses: tuple[SiteAddress, ...] = Field(description="What visitors may ask; all else is closed")
    origins: dict[Loads, tuple[Origin, ...]] = Field(
        {}, description="Other sites that its pages load from, by directive: img-src"
    )

    def problems(self) -> Iterator[str]:
        """Yield keys that the program sets, wrong values, and addresses without a fixed beginning."""
        if not self.addresses:
            yield "addresses: name at least one: all others are closed"
        yield from _same_addresses(self.addresses)
        keys = omero_config.table()["web"]
        lists = {key: f"[{', '.join(entries)}]" for key, entries in self.append.items()}
        for section, config in (("config", self.config), ("append", lists)):
            for key, value in config.items():
                if wrong := keys.owner(key) or keys.wrong_value(key, value) or keys.misspelt(key):
                    yield f"{section}: '{key}' {wrong}"
        if self.root:
            for address in self.addresses:
                text, is_segment = addresses.beginning(address.regex)
                if not is_segment or (not text and address.path not in ("", "^$")):
                    yield f"addresses: {address.path}: at the root an address begins with a plain word and a slash"

    def app(self, name: str) -> App:
        """Return the application in the form of the program's own."""
        label = self.label or self.django.rpartition(".")[2]
        sets = {f"{name}_{number}": one.arguments for number, one in enumerate(self.addresses, 1) if one.arguments}
        return App(
            name=name,
            django=self.django,
            label=label,
            is_root=self.root,
            config=tuple(sorted(self.config.items())),
            entries=tuple((key, entry) for key, entries in sorted(self.append.items()) for entry in entries),
            keys={},
            origins={directive.value: self.origins[directive] for directive in Loads if directive in self.origins},
            addresses=tuple(
                Address(name, "" if self.root else f"{label}/", one.pattern(), one.answer.value, arguments)
                for number, one in enumerate(self.addresses, 1)
                for arguments in [_arguments(one, f"{name}_{number}")]
            ),
            arguments=sets,
        )


def _same_addresses(of_app: Iterable[SiteAddress]) -> Iterator[str]:
    """Yield addresses that are listed twice, of which only the first would be used."""
    seen_regexes: dict[str, str] = {}
    for one in of_app:
        if (first := seen_regexes.get(one.regex)) is not None:
            yield f"addresses: '{one.path}' is there twice" + ("" if first == one.path else f", first as '{first}'")
        seen_regexes[one.regex] = one.path


def _arguments(address: SiteAddress, own: str) -> str:
    """Return the name of the address' set of arguments."""
    if address.arguments:
        return own
    is_free = address.arguments is None and address.answer in (Answer.PAGE, Answer.CLOSED)
    return addresses.ANY if is_free else addresses.NONE


class StackWeb(OmeroWeb):
    """OMERO.web of a stack: the applications beside it, also those of the site's own, and its configuration."""

    requirements: Annotated[InstanceOf[Addons] | None, WithJsonSchema({"type": "string"})] = Field(
        None,
        description="A lock file beside the stack file, as in site/web.lock, with packages of Python beside "
        "OMERO.web's; `idr pin` writes it from site/web.in",
    )
    site_apps: dict[NodeName, SiteApp] = Field({}, description="Applications of the site's own, for `apps` to name")

    def own(self) -> tuple[App, ...]:
        """Return the site's own applications, with their names in the stack file."""
        return tuple(about.app(name) for name, about in self.site_apps.items())

    def problems(self) -> Iterator[str]:
        """Yield names that the program uses, and the problems of `OmeroWeb`."""
        yield from super().problems()
        for name in self.site_apps.keys() & web_apps.table().keys():
            yield f"siteApps: '{name}' is an application of the program: give this one another name"
        yield from self._twice()

    def _twice(self) -> Iterator[str]:
        """Yield modules and labels that two applications have: Django refuses both."""
        modules = {app.django: app.name for app in web_apps.table().values()}
        labels: dict[str, str] = {}
        for app in self.own():
            where = f"siteApps.{app.name}"
            if first := modules.get(app.django):
                yield f"{where}.django: {app.django} is '{first}' already: remove one of the two"
            elif first := labels.get(app.label):
                yield f"{where}.label: '{first}' has {app.label}, too, and Django takes each once: remove one of them"
            modules[app.django], labels[app.label] = app.name, app.name


def paths(app: App) -> tuple[tuple[str, str], ...]:
    """Return the beginnings of an application's addresses, each with its setting."""
    texts = dict.fromkeys(addresses.beginning(address.regex)[0] for address in app.addresses)
    return tuple((f"/{text}/", f"web.siteApps.{app.name}") for text in texts if text)
