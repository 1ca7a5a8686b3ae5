"""A site's own nginx locations: the files of a folder beside the stack file (`idr:site.locations`).

They are read before anything changes. At its top level a file may have only locations, and none of them may match an
address of the program. nginx itself (`nginx -t`, on the node) and gixy (`idr/gixy.py`) check the rest.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from model import addresses, expressions, site_folder
from model.site_folder import FileError

ENDING: Final = ".nginx"
HEADERS: Final = "/etc/nginx/snippets/headers.conf"
"""The include with the headers of every answer. nginx inherits none into a location with an `add_header` of its own."""
INCLUDED: Final = (HEADERS, "/etc/nginx/snippets/hidden.conf")

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,38}\.nginx")
_COMPARE = frozenset({"rewrite", "fastcgi_split_path_info"})
_OPERATORS = frozenset({"~", "~*", "!~", "!~*"})
_NAMED = re.compile(r"\(\?<(?=[A-Za-z_])")
"""The beginning of a group with a name as PCRE has it; Python writes it with a P."""
_PATH = re.compile(r"(/[A-Za-z0-9._~-]+)+/?")
# Words as nginx reads them: quoted, or up to a space or special character; `${name}` is part of a word. A quoted word
# may be followed by the bracket that ends an `if`.
_PART = re.compile(
    r"""\s+|\#[^\n]*|(?P<quoted>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')(?=[\s;{)])"""
    r"""|(?P<word>(?!["'])(?:\\.|\$\{\w+\}|[^\s{};\\])+)|(?P<mark>[{};])""",
    re.DOTALL,
)


@dataclass(frozen=True)
class Snippet:
    """A file with locations: its path in the checkout, its name without suffix, its text."""

    path: str
    name: str
    text: str

    @property
    def locations(self) -> tuple[str, ...]:
        """The paths of its locations."""
        return tuple(statement.words[-1] for statement in _statements(self.text) if statement.depth == 0)


@dataclass(frozen=True)
class _Statement:
    """A directive: its words, its depth, the number of its block, and whether it starts a block."""

    words: tuple[str, ...]
    depth: int
    block: int
    opens: bool


def read(setting: Any, checkout: Path) -> tuple[Snippet, ...]:
    """Read the files in the folder that the setting names, by name. Raises FolderError, or FileError."""
    folder, path = site_folder.find(setting, checkout)
    files = sorted(file for file in folder.iterdir() if not file.name.startswith("."))
    if not files:
        msg = f"'{setting}' has no file in it, as in about{ENDING}"
        raise site_folder.FolderError(msg)
    snippets: list[Snippet] = []
    wrong: list[str] = []
    for file in files:
        try:
            snippets.append(_read(file, str(path / file.name)))
        except FileError as error:
            wrong.append(str(error))
    if wrong:
        raise FileError("\n".join(wrong))
    return tuple(snippets)


def _read(file: Path, path: str) -> Snippet:
    if not _NAME.fullmatch(file.name):
        msg = f"{path}: must be named with lower-case letters, digits and dashes, and end in {ENDING}"
        raise FileError(msg)
    try:
        text = file.read_bytes().decode()
    except OSError as error:
        msg = f"{path}: cannot be read: {error.strerror}"
        raise FileError(msg) from None
    except UnicodeDecodeError:
        msg = f"{path}: is not text in UTF-8"
        raise FileError(msg) from None
    if wrong := list(dict.fromkeys(_problems(text))):
        raise FileError("\n".join(f"{path}: {problem}" for problem in wrong))
    return Snippet(path, file.name.removesuffix(ENDING), text.rstrip() + "\n")


def _problems(text: str) -> Iterator[str]:
    try:
        statements = list(_statements(text))
    except ValueError as error:
        yield str(error)
        return
    if not statements:
        yield "has no location in it"
    for statement in statements:
        if statement.depth == 0:
            yield from _location_problems(statement)
        elif statement.words[0] == "include" and statement.words[1:] not in [(name,) for name in INCLUDED]:
            yield f"include: a review would not see that file; only {' and '.join(INCLUDED)} can be included"
        elif expression := _expression(statement.words):
            yield from _slow(expression)
    complete = {one.block for one in statements if one.words == ("include", HEADERS)}
    if any(one.words[0] == "add_header" and one.block not in complete for one in statements):
        yield f"add_header: takes the headers of the site away in its block: write `include {HEADERS};` beside it"


def _expression(words: tuple[str, ...]) -> str | None:
    """Return the regular expression that a directive in a location compares with what a visitor asks for."""
    if words[0] in _COMPARE and len(words) > 1:
        return words[1]
    for word, after in pairwise(words):
        if word in _OPERATORS:
            # An unquoted one has the bracket behind it that ends the `if`.
            return after.removesuffix(")") if words[0] == "if" and after is words[-1] else after
    return next((word.lstrip("~*") for word in words if word.startswith("~")), None)


def _slow(expression: str) -> Iterator[str]:
    try:
        yield from expressions.slow(_NAMED.sub("(?P<", expression), expression)
    except re.error:
        return  # PCRE has more than Python; gixy and nginx judge those


def _location_problems(statement: _Statement) -> Iterator[str]:
    first, *modifiers, path = statement.words if len(statement.words) > 1 else (*statement.words, "")
    if first != "location" or not statement.opens:
        yield f"{first}: must be in a location"
    elif modifiers not in ([], ["="], ["^~"]) or not _PATH.fullmatch(path):
        shown = " ".join([*modifiers, path])
        yield f"location {shown}: must be a path, as in `location ^~ /docs/` or `location = /docs`"
    elif hidden := addresses.hidden_by(path):
        yield f"location {path}: would hide {hidden}, which is the program's own"


def _statements(text: str) -> Iterator[_Statement]:
    """Yield the directives of a text. Raises ValueError for invalid syntax."""
    words: list[str] = []
    blocks, last = [0], 0
    for kind, part in _parts(text):
        if kind != "mark":
            words.append(part[1:-1] if kind == "quoted" else part)
            continue
        # A block ends after a whole directive; everything else begins with one.
        if bool(words) == (part == "}") or (part == "}" and len(blocks) == 1):
            msg = f"nginx expects no '{part}' {_after(words)}"
            raise ValueError(msg)
        if words:
            yield _Statement(tuple(words), len(blocks) - 1, blocks[-1], opens=part == "{")
        if part == "{":
            last += 1
            blocks.append(last)
        elif part == "}":
            blocks.pop()
        words = []
    if words or len(blocks) > 1:
        msg = f"ends before a ';' or a '}}' {_after(words)}"
        raise ValueError(msg)


def _after(words: list[str]) -> str:
    return f"after '{' '.join(words)}'" if words else "there"


def _parts(text: str) -> Iterator[tuple[str, str]]:
    position = 0
    while position < len(text):
        match = _PART.match(text, position)
        if match is None:
            msg = f"line {text.count(chr(10), 0, position) + 1}: nginx cannot read it"
            raise ValueError(msg)
        position = match.end()
        if match.lastgroup:
            yield match.lastgroup, match[0]
