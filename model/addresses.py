"""The addresses of OMERO.web that visitors may request (addresses.yaml). The proxy's and OMERO.web's filters follow."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Final

from model import tables

TABLE: Final = Path(__file__).with_suffix(".yaml")

CLOSED: Final = "closed"
"""The answer of an address that visitors may not request."""

PAGE: Final = "page"
"""The answer that belongs to one visitor's session and is never cached."""

STATIC: Final = "static"
"""The kind of OMERO.web's static files: the same for everybody, also where users log in."""

ANY: Final = "any"
"""The arguments of an address to which all arguments are passed on."""

NONE: Final = "none"
"""The arguments of an address to which none are passed on."""

CREDENTIALS: Final = ("bsession", "username", "password")
"""Arguments by which OMERO.web would log in, on any page."""

ROUTES: Final = {"int": "[0-9]+", "slug": "[-a-zA-Z0-9_]+"}
"""Django's path converters in the table, as regular expressions."""

KEPT_GROUPS: Final = ("kept_1", "kept_2", "kept_3")
"""Groups for known arguments, separated by unknown ones, of one request. A browser sends one such run."""


PROXY: Final = (".jsonp", "connection", "omero-ws")
"""Addresses that the proxy answers itself, beside OMERO.web (cloudinit/proxy/locations.conf.j2, programs.conf.j2)."""

_TEXT: Final = re.compile(r"(?:[A-Za-z0-9_-]|\\[.-])*")
"""The literal beginning of a regular expression."""

_PATH_TEXT: Final = re.compile(r"[A-Za-z0-9_/-]*")
_OPTIONAL_NUMBER: Final = "(?:(?:[0-9]+)/)?"


@dataclass(frozen=True)
class Address:
    """An address of OMERO.web: the prefix of its urls.py, its pattern there, what answers, which arguments count.

    `app` is the application beside OMERO.web that it is of (model/web_apps.py); nothing for OMERO.web's own. Those of a
    site's own applications are not in the table: who asks for some names them as `of_site`.
    """

    app: str
    prefix: str
    pattern: str
    answer: str
    arguments: str

    @property
    def regex(self) -> str:
        """The whole path without its first slash, as a regular expression of PCRE and Python alike, without groups."""
        pattern = self.pattern if self.pattern.startswith("^") else _of_route(self.pattern)
        bare = pattern.removeprefix("^").removesuffix("$")
        return re.escape(self.prefix) + re.sub(r"(?<!\\)\((?:\?P<\w+>)?(?!\?)", "(?:", bare)


@cache
def table() -> tuple[Address, ...]:
    """Return all addresses, in the order of the file."""
    addresses = [*_listed("", _file()["applications"])]
    for app, prefixes in _file()["apps"].items():
        addresses += _listed(app, prefixes)
    return tuple(addresses)


def _listed(app: str, prefixes: dict[str, Any]) -> Iterator[Address]:
    for prefix, answers in prefixes.items():
        for answer, sets in answers.items():
            for arguments, patterns in sets.items():
                yield from (Address(app, prefix, pattern, answer, arguments) for pattern in patterns)


def opened(apps: Collection[str], of_site: Iterable[Address] = ()) -> tuple[Address, ...]:
    """Return the addresses that visitors may request if these applications are served beside OMERO.web.

    Addresses that a page requests by the hundred come first.
    """
    return _often_asked_first(address for address in (*_served(apps), *of_site) if address.answer != CLOSED)


def opened_for_users(apps: Collection[str], of_site: Iterable[Address] = ()) -> tuple[Address, ...]:
    """Return the addresses that users who log in may request. Only static files are cached."""
    never = {(prefix, pattern) for prefix, patterns in _file()["never"].items() for pattern in patterns}
    return tuple(
        address if address.answer == STATIC else replace(address, answer=PAGE, arguments=ANY)
        for address in _often_asked_first((*_served(apps), *of_site))
        if (address.prefix, address.pattern) not in never
    )


def _served(apps: Collection[str]) -> Iterator[Address]:
    return (address for address in table() if address.app in ("", *apps))


def _often_asked_first(addresses: Iterable[Address]) -> tuple[Address, ...]:
    first = ("thumbnails", "planes", STATIC)
    return tuple(sorted(addresses, key=lambda address: (*first, address.answer).index(address.answer)))


def known_arguments(of_site: Mapping[str, Collection[str]] | None = None) -> dict[str, str]:
    """Return a regular expression (PCRE) for each set of arguments that removes all others: `KEPT_GROUPS` stay.

    Arguments stay in the visitor's order. An array's name may end in brackets, encoded or not (jQuery's habit).
    """
    return {name: _known(names) for name, names in (_file()["arguments"] | (of_site or {})).items()}


def kinds() -> dict[str, dict[str, Any]]:
    """Return the kinds of cached answers from the table (`model.caching.Kind`)."""
    rows: dict[str, dict[str, Any]] = _file()["kinds"]
    return rows


def credentials() -> str:
    """Return a regular expression for `CREDENTIALS`: each letter plain or percent-encoded."""
    spelled = ("".join(f"(?:{letter}|%{ord(letter):02x})" for letter in name) for name in CREDENTIALS)
    return "|".join(spelled)


def hidden_by(path: str, apps: Collection[str] | None = None) -> str | None:
    """Return the beginning of the program's addresses that a location for `path` would hide; None if it hides none.

    Closed addresses count as well: the location would answer them. Two addresses that differ before their second slash
    have nothing in common. With `apps` those of other applications do not count.
    """
    first = path.split("/")[1]
    known = _beginnings(frozenset(_file()["apps"] if apps is None else apps))
    hidden = (text for text, is_segment in known if (first == text if is_segment else first.startswith(text)))
    return next((f"/{text}" for text in hidden), None)


def are_kept(path: str) -> bool:
    """Return whether addresses of OMERO.web begin with `path`, and all of them are cached.

    Where an address may have a part in front that nobody uses (`share_id`), that without it counts.
    """
    matching = [one for one in table() if _path_text(one.regex).startswith(path)]
    return bool(matching) and all(one.answer in kinds() and one.answer != STATIC for one in matching)


def _path_text(regex: str) -> str:
    """Return the common beginning of the addresses of a regular expression."""
    text = _PATH_TEXT.match(regex.replace(_OPTIONAL_NUMBER, ""))
    return f"/{text[0]}" if text else ""


@cache
def _beginnings(apps: frozenset[str]) -> tuple[tuple[str, bool], ...]:
    regexes = {address.regex for address in _served(apps)} - {""}
    return tuple(sorted({(name, True) for name in PROXY} | {beginning(regex) for regex in regexes}))


def beginning(regex: str) -> tuple[str, bool]:
    """Return the common beginning of the addresses of an expression, and whether it is a whole path segment."""
    text = _TEXT.match(regex)
    rest = regex[text.end() :] if text else regex
    return (text[0].replace("\\", "") if text else "", rest[:1] in ("", "/"))


def url_filter(apps: Collection[str], of_site: Iterable[Address] = ()) -> str:
    """Return OMERO.web's filter for the public user (omero.web.public.url_filter), the second one after the proxy's."""
    shown = (address.regex for address in opened(apps, of_site) if address.prefix != "static/")
    return "^/(?:" + "|".join(shown) + r")\Z"


def _known(names: Collection[str]) -> str:
    words = "|".join(re.escape(name) for name in sorted(names))
    known = rf"(?:{words})(?:\[\]|%5[Bb]%5[Dd])?(?:=[^&]*)?(?:&|$)" if names else "(?!)"
    other = f"(?:(?!{known})(?:[^&]+(?:&|$)|&))"
    first, *more = KEPT_GROUPS
    runs = "".join(f"(?:{other}+(?<{group}>(?:{known})+)" for group in more) + ")?" * len(more)
    return f"{other}*(?<{first}>(?:{known})*){runs}{other}*$"


def _of_route(route: str) -> str:
    """Convert a Django route, such as `file/<int:file_id>/`, to a regular expression."""
    parts = re.split(r"<(\w+):\w+>", route)
    return "".join(ROUTES[part] if index % 2 else re.escape(part) for index, part in enumerate(parts))


@cache
def _file() -> dict[str, Any]:
    read: dict[str, Any] = tables.read(TABLE)
    return read
