"""Compare the database with the files."""

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
    """A path with its kind of fault and the bytes concerned."""

    kind: str
    path: bytes
    size: int = 0
    study: str = ""


def compare(data: bytes, named: Iterator[Named], entries: Iterator[Entry], since: float) -> Iterator[Fault]:
    """Compare the database's files with those in OMERO's data folder, both in order.

    A file newer than `since` may belong to an import that the query did not see yet, so it is skipped.
    """
    named_file, entry = next(named, None), next(entries, None)
    while named_file or entry:
        if entry is None or (named_file and _path(data, named_file) < entry.path):
            if named_file:
                yield from _unmet(data, named_file)
                named_file = next(named, None)
        elif named_file is None or entry.path < _path(data, named_file):
            yield from _not_named(entry, since)
            entry = next(entries, None)
        else:
            yield from _mismatch(named_file, entry)
            named_file, entry = next(named, None), next(entries, None)


def _path(data: bytes, named_file: Named) -> bytes:
    return data + b"/" + named_file.path


def _unmet(data: bytes, named_file: Named) -> Iterator[Fault]:
    """Check a file that the walk did not meet: it is missing, behind a link to a folder, or in an unreadable folder."""
    path = _path(data, named_file)
    try:
        yield from _mismatch(named_file, look(path))
    except (FileNotFoundError, NotADirectoryError):
        yield Fault(MISSING, path, named_file.counted, named_file.study)
    except OSError:
        yield Fault(UNREADABLE, path, named_file.counted, named_file.study)


def _mismatch(named_file: Named, entry: Entry) -> Iterator[Fault]:
    if entry.problem:
        yield Fault(entry.problem, entry.path, named_file.counted, named_file.study)
    elif named_file.size is not None and entry.size is not None and named_file.size != entry.size:
        yield Fault(DIFFERENT, entry.path, named_file.counted, named_file.study)


def _not_named(entry: Entry, since: float) -> Iterator[Fault]:
    if entry.problem:
        yield Fault(entry.problem, entry.path)
    elif entry.changed < since and entry.size is not None:
        yield Fault(UNKNOWN, entry.path, entry.size)


def unused(used: Iterator[bytes], entries: Iterator[Entry]) -> Iterator[Fault]:
    """Yield files on mounts to which no link leads, both in order. A target ending with a slash is a whole folder."""
    folder = b"\0"
    target = next(used, None)
    for entry in entries:
        while target is not None and target <= entry.path:
            if target.endswith(b"/") and not target.startswith(folder):
                folder = target
            if target == entry.path:
                break
            target = next(used, None)
        if entry.problem:
            yield Fault(entry.problem, entry.path)
        elif target != entry.path and not entry.path.startswith(folder) and entry.target is None:
            yield Fault(UNUSED, entry.path, entry.size or 0)


def without_memo(cache: bytes, repository: bytes, opened: Iterator[tuple[bytes, bytes]]) -> Iterator[Fault]:
    """Yield the missing memo files of the files that Bio-Formats opens.

    Memoizer stores them below its folder under the full path of the file, as OMERO names it.
    """
    for folder, name in opened:
        directory = bytes(PurePosixPath(os.fsdecode(repository + b"/" + folder)))
        path = cache + directory + b"/." + name + b".bfmemo"
        try:
            os.stat(path)
        except OSError:
            yield Fault(NO_MEMO, path)
