"""What database and files say against each other."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from .database import Named
from .tree import BROKEN, UNREADABLE, Entry, look

MISSING = "missing"
DIFFERENT = "different"
UNKNOWN = "unknown"
UNUSED = "unused"
NO_MEMO = "no-memo"
KINDS = (MISSING, BROKEN, UNREADABLE, DIFFERENT, UNKNOWN, UNUSED, NO_MEMO)


@dataclass(frozen=True)
class Fault:
    """A path with what is wrong there, and how many bytes that concerns."""

    kind: str
    path: bytes
    size: int = 0
    study: str = ""


def compare(data: bytes, named: Iterator[Named], entries: Iterator[Entry], since: float) -> Iterator[Fault]:
    """Compare what must be in OMERO's data folder with what is there, both in order.

    A file that is younger than `since` may be of an import that is not in the database's answer: it is left out.
    """
    one, other = next(named, None), next(entries, None)
    while one or other:
        if other is None or (one and _path(data, one) < other.path):
            if one:
                yield from _alone(data, one)
                one = next(named, None)
        elif one is None or other.path < _path(data, one):
            yield from _not_named(other, since)
            other = next(entries, None)
        else:
            yield from _judged(one, other)
            one, other = next(named, None), next(entries, None)


def _path(data: bytes, one: Named) -> bytes:
    return data + b"/" + one.path


def _alone(data: bytes, one: Named) -> Iterator[Fault]:
    """A file that the walk did not meet: missing, behind a link to a folder, or in a folder that cannot be listed."""
    path = _path(data, one)
    try:
        yield from _judged(one, look(path))
    except (FileNotFoundError, NotADirectoryError):
        yield Fault(MISSING, path, one.counted, one.study)
    except OSError:
        yield Fault(UNREADABLE, path, one.counted, one.study)


def _judged(one: Named, there: Entry) -> Iterator[Fault]:
    if there.problem:
        yield Fault(there.problem, there.path, one.counted, one.study)
    elif one.size is not None and there.size is not None and one.size != there.size:
        yield Fault(DIFFERENT, there.path, one.counted, one.study)


def _not_named(there: Entry, since: float) -> Iterator[Fault]:
    if there.problem:
        yield Fault(there.problem, there.path)
    elif there.changed < since and there.size is not None:
        yield Fault(UNKNOWN, there.path, there.size)


def unused(used: Iterator[bytes], entries: Iterator[Entry]) -> Iterator[Fault]:
    """What is on mounts and no link leads to, both in order. A path with a slash at the end is of all below it."""
    folder = b"\0"
    one = next(used, None)
    for there in entries:
        while one is not None and one <= there.path:
            if one.endswith(b"/") and not one.startswith(folder):
                folder = one
            if one == there.path:
                break
            one = next(used, None)
        if there.problem:
            yield Fault(there.problem, there.path)
        elif one != there.path and not there.path.startswith(folder) and there.target is None:
            yield Fault(UNUSED, there.path, there.size or 0)


def without_memo(cache: bytes, repository: bytes, opened: Iterator[tuple[bytes, bytes]]) -> Iterator[Fault]:
    """The memo files that are not there, of the files that Bio-Formats opens.

    Memoizer puts them below its folder by the whole path of the file, as OMERO names it.
    """
    for folder, name in opened:
        directory = bytes(PurePosixPath(os.fsdecode(repository + b"/" + folder)))
        path = cache + directory + b"/." + name + b".bfmemo"
        try:
            os.stat(path)
        except OSError:
            yield Fault(NO_MEMO, path)
