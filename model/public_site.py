"""What a site adds to its public addresses: texts, headers, robots.txt, static pages and nginx locations."""

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from typing import Annotated, Final

from pydantic import Field, InstanceOf, WithJsonSchema

from model import addresses
from model.downloads import Download
from model.field_types import TEXT, EmailAddress, Section, Shape, without_default
from model.nginx_snippets import Snippet

SETTING: Final = "site"
LOCATIONS: Final = "locations"

PagesPath = Annotated[str, Shape("(/[A-Za-z0-9._~-]+)+/", "a path that ends in a slash, as in /about/")]
SiteName = Annotated[
    str,
    Shape(
        "(?! )(?:(?![\"'\\\\$<>&{};])" + TEXT + "){1,80}(?<! )",
        "a name of at most 80 characters, without quotation marks, backslashes, or any of $<>&{};",
    ),
]
"""A text without characters that are special in HTML, JSON or nginx."""
HeaderName = Annotated[str, Shape("[A-Za-z][A-Za-z0-9-]{0,59}", "the name of a header, as in X-Robots-Tag")]
HeaderValue = Annotated[
    str, Shape("(?! )[ -#%-~]{1,1000}(?<! )", "one line of ASCII without `$`, which nginx takes for a variable")
]
Robots = Annotated[
    str, Shape(f"(?:{TEXT}|\\n){{1,10000}}", "the text of a robots.txt, of at most 10000 characters, without tabs")
]

OWNED: Final = (
    "Access-Control-*",
    "Cache-Control",
    "Content-Security-Policy",
    "Permissions-Policy",
    "Referrer-Policy",
    "Retry-After",
    "Strict-Transport-Security",
    "X-Accel-*",
    "X-Cache-Status",
    "X-Content-Type-Options",
    "X-Frame-Options",
    "X-IDR-*",
)
"""Headers that the proxy sets: with two of a name, browsers use the weaker one."""
OF_THE_ANSWER: Final = (
    *("Accept-Ranges", "Age", "Allow", "Connection", "Content-*", "Date", "ETag", "Expires", "Keep-Alive"),
    *("Last-Modified", "Location", "Pragma", "Refresh", "Server", "Set-Cookie", "Trailer", "Transfer-Encoding"),
    *("Upgrade", "Vary", "WWW-Authenticate"),
)
"""Headers whose value differs between responses."""


class Pages(Download):
    """A static site: an archive (tar, compressed by gzip) whose files the proxy serves below a path."""

    path: PagesPath = Field("/about/", description="Where visitors find them; index.html answers the path itself")

    def problems(self) -> Iterator[str]:
        """Yield paths that the program uses, and archives of another kind."""
        if {".", ".."}.intersection(self.path.split("/")):
            yield f"path: {self.path} has a part '.' or '..', which no address has"
        if hidden := addresses.hidden_by(self.path):
            yield f"path: {self.path} would hide {hidden}, which is the program's own"
        if not self.url.endswith((".tar.gz", ".tgz")):
            yield "url: must be an archive whose name ends in .tar.gz or .tgz"


class PublicSite(Section):
    """What visitors see beside OMERO.web, and the texts of its error pages."""

    name: SiteName = Field("The Image Data Resource", description="The site's name, on pages that nginx makes itself")
    contact: EmailAddress | None = Field(None, description="The address on those pages for visitors' questions")
    pages: Pages | None = Field(None, description="A static site, as the IDR's /about")
    robots: Robots | None = Field(None, description="The text of robots.txt; without it there is none")
    headers: dict[HeaderName, HeaderValue] = Field({}, description="Headers of every answer beside the program's own")
    locations: Annotated[tuple[InstanceOf[Snippet], ...], WithJsonSchema({"type": "string"})] = Field(
        (),
        description="A folder beside the stack file with files of nginx locations, as in site/nginx (docs/guide.md)",
        json_schema_extra=without_default,
    )

    def problems(self) -> Iterator[str]:
        """Yield headers that a site cannot set, and an empty robots.txt."""
        if self.robots and ":" not in self.robots:
            yield "robots: is the text itself, not the name of a file, as in `User-agent: *`"
        yield from _header_problems(self.headers)

    def paths(self) -> list[tuple[str, str]]:
        """Return the paths that it answers, each with the setting or file that names it."""
        pages = [(self.pages.path, "site.pages.path")] if self.pages else []
        robots = [("/robots.txt", "site.robots")] if self.robots else []
        own = [(path, snippet.path) for snippet in self.locations for path in snippet.locations]
        return [*pages, *robots, *own]


def _header_problems(headers: Iterable[str]) -> Iterator[str]:
    first_names: dict[str, str] = {}
    for name in headers:
        if first := first_names.get(name.lower()):
            yield f"headers: {name} and {first} are one header"
        first_names[name.lower()] = name
        if is_one_of(name, OWNED):
            yield f"headers: {name} is the program's own, and browsers would see two"
        elif is_one_of(name, OF_THE_ANSWER):
            yield f"headers: {name} is not the same for every answer"


def is_one_of(name: str, patterns: Iterable[str]) -> bool:
    """Return whether a header's name matches one of the patterns, ignoring case."""
    return any(fnmatchcase(name.lower(), pattern.lower()) for pattern in patterns)


def nested(paths: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Yield paths that are equal, or one inside the other, with the setting of each."""
    earlier: list[tuple[str, str]] = []
    for path, setting in paths:
        for other, other_setting in earlier:
            if _is_in(path, other) or _is_in(other, path):
                yield f"{setting}: {path} and {other} ({other_setting}) overlap: change one of them"
        earlier.append((path, setting))


def _is_in(path: str, other: str) -> bool:
    return path == other or (other.endswith("/") and (path.startswith(other) or path + "/" == other))
