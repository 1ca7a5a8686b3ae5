"""What is on the disks: folders walked in the order of the bytes of whole paths, and looked at by several threads."""

import os
import stat
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

LOOKED_AT_ONCE = 8
"""A look at a file of a share is a question to its server: several are on the way at once."""
BATCH = 512
FOLDERS_REMEMBERED = 4096
SORT_MEMORY = "64M"
HIDDEN = b".omero"
"""OMERO's own notes in a repository."""


@dataclass(frozen=True)
class Entry:
    """A file, or a link, by its path.

    `size`: of what a link leads to, None where that is a folder, is not there or cannot be looked at. `problem`: why.
    `target`: where a link leads to in the end, with a slash after a folder. `changed`: when its inode did, in seconds.
    """

    path: bytes
    size: int | None = None
    changed: float = 0
    target: bytes | None = None
    problem: str = ""


BROKEN = "broken"
UNREADABLE = "unreadable"


def walk(folder: bytes, names: Sequence[bytes] | None = None) -> Iterator[Entry]:
    """Yield everything below `folder` but folders, or below those of its entries that `names` lists.

    A folder that cannot be listed is yielded as a problem. Paths are whole.
    """
    entries = iter(_entries(folder, names))
    with ThreadPoolExecutor(LOOKED_AT_ONCE) as pool:
        while batch := list(islice(entries, BATCH)):
            yield from (entry for entry in pool.map(_look, batch) if entry)


def _entries(folder: bytes, names: Sequence[bytes] | None) -> Iterator[Entry | bytes]:
    """Yield paths of files, and what cannot be listed, in order. Users of OMERO decide how deep a tree is."""
    waiting = [*_listed(folder, names)]
    while waiting:
        entry = waiting.pop()
        if isinstance(entry, Entry) or not entry.endswith(b"/"):
            yield entry
        else:
            waiting += _listed(entry[:-1], None)


def _listed(folder: bytes, names: Sequence[bytes] | None) -> Sequence[Entry | bytes]:
    """Return what is in a folder, the last first."""
    try:
        with os.scandir(folder) as listing:
            # With its slash a folder sorts as the paths of what is in it do: `a.txt` before `a/b`.
            return sorted(
                (
                    entry.path + b"/" if entry.is_dir(follow_symlinks=names is not None) else entry.path
                    for entry in listing
                    if entry.name != HIDDEN and (names is None or entry.name in names)
                ),
                reverse=True,
            )
    except OSError:
        return [Entry(folder, problem=UNREADABLE)]


def _look(entry: Entry | bytes) -> Entry | None:
    """Say what was listed is, None where it is gone since."""
    if isinstance(entry, Entry):
        return entry
    try:
        return look(entry)
    except FileNotFoundError:
        return None
    except OSError:
        return Entry(entry, problem=UNREADABLE)


def look(path: bytes) -> Entry:
    """Say what a path is. Raises FileNotFoundError where nothing is."""
    itself = os.lstat(path)
    if not stat.S_ISLNK(itself.st_mode):
        return Entry(path, itself.st_size, itself.st_ctime)
    try:
        there = os.stat(path)
    except FileNotFoundError:
        return Entry(path, None, itself.st_ctime, problem=BROKEN)
    except OSError:
        return Entry(path, None, itself.st_ctime, problem=UNREADABLE)
    target = real(path)
    if stat.S_ISDIR(there.st_mode):
        return Entry(path, None, itself.st_ctime, target + b"/")
    return Entry(path, there.st_size, itself.st_ctime, target)


def real(path: bytes) -> bytes:
    """The path without links. Each folder's is remembered: a share is asked once for it, and not for each file."""
    parent, name = os.path.split(path)
    whole = os.path.join(_real_folder(parent), name)
    try:
        target = os.readlink(whole)
    except OSError:
        return whole
    return real(os.path.join(os.path.dirname(whole), target))


@lru_cache(FOLDERS_REMEMBERED)
def _real_folder(path: bytes) -> bytes:
    return os.path.realpath(path)


class Sorted:
    """Paths that are given in any order, and read in the order of their bytes, by sort(1) in bounded memory."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(dir="/var/tmp")  # noqa: SIM115  # it has no name, and ends with us
        command = ["sort", "-z", "-u", "-S", SORT_MEMORY, "-T", "/var/tmp"]  # noqa: S108  # sort makes files of random names
        self._sort = subprocess.Popen(
            command, env={**os.environ, "LC_ALL": "C"}, stdin=subprocess.PIPE, stdout=self._file
        )

    def add(self, path: bytes) -> None:
        """Take a path."""
        if self._sort.stdin:
            self._sort.stdin.write(path + b"\0")

    def paths(self) -> Iterator[bytes]:
        """Yield all of them, each once. Raises OSError where sort could not do its work."""
        self._sort.communicate()
        if self._sort.returncode:
            msg = f"sort ended with {self._sort.returncode}: is there room in /var/tmp?"
            raise OSError(msg)
        self._file.seek(0)
        rest = b""
        while chunk := self._file.read(1 << 16):
            *whole, rest = (rest + chunk).split(b"\0")
            yield from whole
