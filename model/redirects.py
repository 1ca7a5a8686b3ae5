"""Redirects of the proxy: addresses of a site's own that lead elsewhere, as the IDR's /about does."""

import re
from collections.abc import Iterable, Iterator
from typing import Annotated

from pydantic import Field

from model.field_types import Section, Shape

# No spaces, no quotation marks and no semicolons: nginx reads it in quotes.
RedirectFrom = Annotated[
    str,
    Shape(
        "(/[A-Za-z0-9._~!*+@:%/-]*|\\^/[!#$%&'()*+,./0-9:<=>?@A-Z\\[\\]\\\\^_`a-z{|}~-]*)",
        "a path as in /about, or a regular expression for whole paths as in ^/study/([0-9]+)$",
    ),
]
RedirectTo = Annotated[
    str,
    Shape(
        "(/|https?://[A-Za-z0-9.-]+(:[0-9]+)?)([A-Za-z0-9._~!*+@:%/?&=#,-]|\\$[1-9])*",
        "a path or a URL, with $1 to $9 for groups of a regular expression",
    ),
]


class Redirect(Section):
    """An address that leads to another one."""

    source: RedirectFrom = Field(alias="from", description="A path, or a regular expression that begins with ^/")
    target: RedirectTo = Field(alias="to", description="A path or a URL; $1 to $9 are groups of the expression")
    permanent: bool = Field(False, description="301, which browsers remember, instead of 302")

    @property
    def is_expression(self) -> bool:
        """Whether `source` is a regular expression."""
        return self.source.startswith("^")

    def problems(self) -> Iterator[str]:
        """An expression that is none, and groups that are not there."""
        try:
            groups = re.compile(self.source).groups if self.is_expression else 0
        except re.error as error:
            yield f"from: {self.source} is no regular expression: {error}"
            return
        used = [int(number) for number in re.findall(r"\$([1-9])", self.target)]
        if missing := sorted({number for number in used if number > groups}):
            yield f"to: {', '.join(f'${number}' for number in missing)}: 'from' has {groups or 'no'} groups"


def problems(redirects: Iterable[Redirect]) -> Iterator[str]:
    """Addresses that lead to two places, and those that lead to themselves."""
    seen: set[str] = set()
    for redirect in redirects:
        if redirect.source in seen:
            yield f"redirects: {redirect.source} leads to two places"
        seen.add(redirect.source)
        if redirect.source == redirect.target:
            yield f"redirects: {redirect.source} leads to itself"
