"""Manifests in the format of sha256sum, sorted by path, so that two can be compared without keeping them in memory."""

import hashlib
import os
import re
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from idr.errors import IdrError

CHUNK = 1 << 20
ESCAPES = {"\\": "\\\\", "\n": "\\n", "\r": "\\r"}
LINE = re.compile(r"(?P<mark>\\?)(?P<digest>[0-9a-f]{64})  (?P<path>.+)", re.DOTALL)
AHEAD = 4
"""How many files for each reader may wait for a file that takes longer."""


@dataclass(frozen=True)
class Sum:
    """The SHA-256 of a file, by its path below the tree. `problem` says why it cannot be read."""

    path: str
    digest: str
    size: int = 0
    problem: str = ""


def tree(folder: Path, readers: int) -> Iterator[Sum]:
    """Yield the sum of every regular file below a folder, sorted by path. Links are not followed.

    `readers` files are read at once.
    """
    with ThreadPoolExecutor(readers) as pool:
        waiting: deque[Future[Sum]] = deque()
        for path in _files(folder, ""):
            waiting.append(pool.submit(_sum, folder, path))
            if len(waiting) > readers * AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _files(folder: Path, prefix: str) -> Iterator[str]:
    """Yield paths sorted by their parts: `a/b` before `a.txt`."""
    with os.scandir(folder / prefix) as entries:
        children = sorted(entries, key=lambda entry: entry.name)
    for entry in children:
        path = f"{prefix}{entry.name}"
        if entry.is_dir(follow_symlinks=False):
            yield from _files(folder, f"{path}/")
        elif entry.is_file(follow_symlinks=False):
            yield path


def _sum(folder: Path, path: str) -> Sum:
    digest, size = hashlib.sha256(), 0
    try:
        with (folder / path).open("rb") as file:
            while chunk := file.read(CHUNK):
                digest.update(chunk)
                size += len(chunk)
    except OSError as error:
        return Sum(path, "", problem=error.strerror or "cannot be read")
    return Sum(path, digest.hexdigest(), size)


def line(one: Sum) -> str:
    """Format a line like sha256sum: a backslash in front means that characters of the name are escaped."""
    escaped = "".join(ESCAPES.get(character, character) for character in one.path)
    mark = "\\" if escaped != one.path else ""
    return f"{mark}{one.digest}  {escaped}\n"


def read(lines: Iterable[str], name: str) -> Iterator[Sum]:
    """Read a manifest. Raises IdrError for an invalid line, or one out of order."""
    before: tuple[str, ...] = ()
    for number, text in enumerate(lines, 1):
        one = _parsed(text.rstrip("\n"))
        if one is None:
            msg = f"{name}: line {number} is no line of a manifest: a SHA-256, two spaces and a path"
            raise IdrError(msg)
        if _order(one.path) <= before:
            msg = f"{name}: line {number} is not in the order that `idr manifest` writes: make the manifest with it"
            raise IdrError(msg)
        before = _order(one.path)
        yield one


def _parsed(text: str) -> Sum | None:
    match = LINE.fullmatch(text)
    if not match:
        return None
    path = match["path"]
    if match["mark"]:
        path = re.sub(r"\\([\\nr])", lambda escape: {"\\": "\\", "n": "\n", "r": "\r"}[escape[1]], path)
    return Sum(path, match["digest"])


def _order(path: str) -> tuple[str, ...]:
    return tuple(path.split("/"))


@dataclass(frozen=True)
class Difference:
    """A file that differs from the manifest: `missing`, `different`, `added` or `unreadable`."""

    what: str
    path: str


def differences(expected: Iterator[Sum], actual: Iterator[Sum]) -> Iterator[Difference]:
    """Compare two sorted manifests, and yield the differences."""
    one, other = next(expected, None), next(actual, None)
    while one and other:
        if _order(one.path) < _order(other.path):
            yield Difference("missing", one.path)
            one = next(expected, None)
        elif _order(other.path) < _order(one.path):
            yield Difference("added", other.path)
            other = next(actual, None)
        else:
            if other.problem:
                yield Difference("unreadable", f"{other.path} ({other.problem})")
            elif one.digest != other.digest:
                yield Difference("different", other.path)
            one, other = next(expected, None), next(actual, None)
    yield from (Difference("missing", rest.path) for rest in chain([one] if one else [], expected))
    yield from (Difference("added", rest.path) for rest in chain([other] if other else [], actual))
