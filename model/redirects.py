"""Redirects of the proxy: a site's own addresses that lead elsewhere, such as the IDR's /about."""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Annotated, Final
from urllib.parse import unquote, urlsplit

from pydantic import Field

from model import expressions, hosts
from model.field_types import Section, Shape

# No spaces, no quotation marks and no semicolons: nginx reads it in quotes. No `%` and no empty part in a path: nginx
# compares what it has decoded and tidied; arguments it compares as they were sent. A key of nginx's maps has room for
# 512 bytes, a word of its configuration for 4096.
RedirectFrom = Annotated[
    str,
    Shape(
        "(?=/|\\^)(?=.{1,255}$)((/[A-Za-z0-9._~!+@:-]+)*/?(\\?[A-Za-z0-9._~!*+@:/&=,|%-]+)?|\\^/[!#$&'()*+,./0-9:<=>?@A-Z\\[\\]\\\\^_`a-z{|}~-]*)",
        "a path as in /about or, with arguments, /search/?query=1, or a regular expression for whole paths as in "
        "^/study/([0-9]+)$; paths without `%` and `*`, at most 255 characters",
    ),
]
RedirectTo = Annotated[
    str,
    Shape(
        "(?=.{1,2000}$)(/|https?://[A-Za-z0-9.-]+(:[0-9]+)?)([A-Za-z0-9._~!*+@:%/?&=#,-]|\\$[1-9])*",
        "a path or a URL, with $1 to $9 for groups of a regular expression",
    ),
]

EVERYBODYS: Final = ("/webclient/", "experimenter=-1")
"""Path and arguments of the first page of visitors, all data (cloudinit/proxy/locations.conf.j2)."""


BROWSERS_FOLLOW: Final = 20
"""The most redirects in a row that browsers follow."""


class Redirect(Section):
    """A redirect from one address to another."""

    source: RedirectFrom = Field(
        alias="from", description="A path, also with arguments, or a regular expression that begins with ^/"
    )
    target: RedirectTo = Field(alias="to", description="A path or a URL; $1 to $9 are groups of the expression")
    permanent: bool = Field(False, description="301, which browsers remember, instead of 302")

    @property
    def is_expression(self) -> bool:
        """Whether `source` is a regular expression."""
        return self.source.startswith("^")

    @property
    def has_arguments(self) -> bool:
        """Whether it is matched against path and arguments, not only the path."""
        return ("\\?" if self.is_expression else "?") in self.source

    def problems(self) -> Iterator[str]:
        """Yield impossible paths, invalid expressions, missing groups, and targets without a host."""
        yield from self._wrong_host()
        if not self.is_expression:
            if {".", ".."}.intersection(self.source.partition("?")[0].split("/")):
                yield f"from: {self.source} has a part '.' or '..', which no address has"
            groups = 0
        else:
            try:
                groups = re.compile(self.source).groups
            except re.error as error:
                yield f"from: {self.source} is no regular expression: {error}"
                return
            yield from (f"from: {problem}" for problem in expressions.problems(self.source, self.source))
        used = [int(number) for number in re.findall(r"\$([1-9])", self.target)]
        if missing := sorted({number for number in used if number > groups}):
            yield f"to: {', '.join(f'${number}' for number in missing)}: 'from' has {groups or 'no'} groups"

    def _wrong_host(self) -> Iterator[str]:
        if self.target.startswith(("//", "/\\")):
            yield f"to: {self.target} is another site for a browser: write https:// before it, or one '/'"
            return
        for group in re.findall(r"https?://[^/?#]*?\$([1-9])", self.target):
            if not self._begins_with_slash(int(group)):
                yield f"to: {self.target}: write '/' after the host, or who asks chooses the site"
        if not self.target.startswith("/"):
            try:
                url = urlsplit(self.target.partition("$")[0])
                hosts.host_name((url.hostname or "").lower())
                _ = url.port
            except ValueError as error:
                yield f"to: {self.target}: {error}"

    def _begins_with_slash(self, group: int) -> bool:
        """Return whether all matches of a group of the expression begin with '/', as far as its text shows it."""
        texts = [self.source[opening.end() :] for opening in re.finditer(r"(?<!\\)\((?!\?)", self.source)]
        return "|" not in self.source and all(re.match("/(?![?*{])", text) for text in texts[group - 1 : group])

    def leads(self, path: str, arguments: str = "") -> str | None:
        """Return the target for a path; None if the redirect does not match."""
        path = f"{path}?{arguments}" if self.has_arguments else path
        if not self.is_expression:
            # nginx ignores case in the plain keys of its maps.
            return self.target if path.lower() == self.source.lower() else None
        match = re.search(self.source, path)
        return re.sub(r"\$([1-9])", lambda group: match[int(group[1])] or "", self.target) if match else None


def problems(
    redirects: Sequence[Redirect], host: str | None = None, first_pages: Collection[str] = ()
) -> Iterator[str]:
    """Yield addresses with two targets, and those that lead to themselves.

    `host` is the public name; the proxy itself redirects `first_pages` to EVERYBODYS.
    """
    # nginx answers with permanent ones first, then with those with arguments, then with plain ones before expressions.
    ordered = sorted(redirects, key=lambda one: (not one.permanent, not one.has_arguments, one.is_expression))
    first_redirects: dict[str, str] = {}
    for redirect in redirects:
        key = redirect.source if redirect.is_expression else redirect.source.lower()
        if first := first_redirects.get(key):
            letters = "" if first == redirect.source else f", as {first} does: capital letters do not count"
            yield f"redirects: {redirect.source} leads to two places{letters}"
        first_redirects[key] = redirect.source
        if "$" in redirect.target and _own_path(redirect.target, host) and expressions.looks_around(redirect.source):
            yield (
                f"redirects: {redirect.source} looks ahead or behind, and leads to groups of it here: nobody can say "
                "whether that is a circle. Write it without (?=, (?!, (?<= and (?<!"
            )
        elif circle := _circle(redirect, ordered, host, first_pages):
            example = "" if circle == redirect.source else f", for example from {circle}"
            yield f"redirects: {redirect.source} leads to itself{example}"


def _circle(
    redirect: Redirect, ordered: Sequence[Redirect], host: str | None, first_pages: Collection[str]
) -> str | None:
    """Return an address from which it leads to itself for ever: its source, or a sample that was tried."""
    steps = _steps(redirect, ordered)
    return next((start for start, target in steps if _comes_back(target, redirect, ordered, host, first_pages)), None)


def _steps(redirect: Redirect, ordered: Sequence[Redirect]) -> Iterator[tuple[str, str]]:
    """Yield addresses with the redirect's target, as far as known without a request."""
    if "$" not in redirect.target:
        yield redirect.source, redirect.target
        return
    for sample in expressions.samples(redirect.source):
        path, _, arguments = sample.partition("?")
        if _answering((path, arguments), ordered) is redirect and (target := redirect.leads(path, arguments)):
            yield sample, target


def _comes_back(
    target: str, redirect: Redirect, ordered: Sequence[Redirect], host: str | None, first_pages: Collection[str]
) -> bool:
    """Return whether a browser that follows to `target` meets the redirect again without end."""
    again = False
    for _ in range(max(BROWSERS_FOLLOW, len(ordered))):
        request = _own_path(target, host)
        answering = request and _answering(request, ordered)
        if request and answering is None and request[0] in first_pages and not request[1]:
            request = EVERYBODYS
            answering = _answering(request, ordered)
        if not request or not answering:
            return False
        again = again or answering is redirect
        target = answering.leads(*request) or ""
    return again


def _own_path(target: str, host: str | None) -> tuple[str, str] | None:
    """Return path and arguments of a target on this site, as nginx matches them; None for another site."""
    url = urlsplit(target)
    is_own_site = not url.netloc or (url.hostname == host and url.port in (None, 80, 443))
    return (unquote(url.path or "/"), url.query) if is_own_site else None


def _answering(request: tuple[str, str], ordered: Iterable[Redirect]) -> Redirect | None:
    """Return the redirect that answers a path and its arguments, in nginx's order."""
    return next((one for one in ordered if one.leads(*request) is not None), None)
