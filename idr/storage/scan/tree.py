"""Walk folders in the byte order of full paths. Several threads read the files' metadata."""

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
"""Reading a file's metadata on a share is a request to its server: several are sent at once."""
BATCH = 512
FOLDERS_REMEMBERED = 4096
SORT_MEMORY = "64M"
HIDDEN = b".omero"
"""OMERO's own folder in a repository."""


@dataclass(frozen=True)
class Entry:
    """A file, or a link, by its path.

    `size` is that of a link's target; None if that is a folder, missing or unreadable. `problem` is the reason.
    `target` is the resolved target of a link, with a slash after a folder. `changed` is the inode's time of change.
    """

    path: bytes
    size: int | None = None
    changed: float = 0
    target: bytes | None = None
    problem: str = ""


BROKEN = "broken"
UNREADABLE = "unreadable"


def walk(folder: bytes, names: Sequence[bytes] | None = None) -> Iterator[Entry]:
    """Yield all files and links below `folder`, or below its entries in `names`.

    A folder that cannot be listed is yielded as a problem. Paths are absolute.
    """
    entries = iter(_entries(folder, names))
    with ThreadPoolExecutor(LOOKED_AT_ONCE) as pool:
        while batch := list(islice(entries, BATCH)):
            yield from (entry for entry in pool.map(_look, batch) if entry)


def _entries(folder: bytes, names: Sequence[bytes] | None) -> Iterator[Entry | bytes]:
    """Yield paths of files, and folders that cannot be listed, in order. No recursion: a tree can have any depth."""
    waiting = [*_listed(folder, names)]
    while waiting:
        entry = waiting.pop()
        if isinstance(entry, Entry) or not entry.endswith(b"/"):
            yield entry
        else:
            waiting += _listed(entry[:-1], None)


def _listed(folder: bytes, names: Sequence[bytes] | None) -> Sequence[Entry | bytes]:
    """Return the entries of a folder in reverse order."""
    try:
        with os.scandir(folder) as listing:
            # With its slash a folder sorts like the paths in it: `a.txt` before `a/b`.
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
    """Read the metadata of a listed path; None if it was deleted since."""
    if isinstance(entry, Entry):
        return entry
    try:
        return look(entry)
    except FileNotFoundError:
        return None
    except OSError:
        return Entry(entry, problem=UNREADABLE)


def look(path: bytes) -> Entry:
    """Read the metadata of a path. Raises FileNotFoundError if it does not exist."""
    itself = os.lstat(path)
    if not stat.S_ISLNK(itself.st_mode):
        return Entry(path, itself.st_size, itself.st_ctime)
    try:
        target_stat = os.stat(path)
    except FileNotFoundError:
        return Entry(path, None, itself.st_ctime, problem=BROKEN)
    except OSError:
        return Entry(path, None, itself.st_ctime, problem=UNREADABLE)
    target = real(path)
    if stat.S_ISDIR(target_stat.st_mode):
        return Entry(path, None, itself.st_ctime, target + b"/")
    return Entry(path, target_stat.st_size, itself.st_ctime, target)


def real(path: bytes) -> bytes:
    """Resolve all links of a path. Folders are cached: a share is asked once for each, and not for each file."""
    parent, name = os.path.split(path)
    resolved = os.path.join(_real_folder(parent), name)
    try:
        target = os.readlink(resolved)
    except OSError:
        return resolved
    return real(os.path.join(os.path.dirname(resolved), target))


@lru_cache(FOLDERS_REMEMBERED)
def _real_folder(path: bytes) -> bytes:
    return os.path.realpath(path)


class Sorted:
    """Collect paths in any order and read them in byte order, by sort(1) in bounded memory."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(dir="/var/tmp")  # noqa: SIM115  # it has no name, and is deleted when this process ends
        command = ["sort", "-z", "-u", "-S", SORT_MEMORY, "-T", "/var/tmp"]  # noqa: S108  # sort makes files of random names
        self._sort = subprocess.Popen(
            command, env={**os.environ, "LC_ALL": "C"}, stdin=subprocess.PIPE, stdout=self._file
        )

    def add(self, path: bytes) -> None:
        """Add a path."""
        if self._sort.stdin:
            self._sort.stdin.write(path + b"\0")

    def paths(self) -> Iterator[bytes]:
        """Yield all paths, each once. Raises OSError if sort fails."""
        self._sort.communicate()
        if self._sort.returncode:
            msg = f"sort ended with {self._sort.returncode}: is there room in /var/tmp?"
            raise OSError(msg)
        self._file.seek(0)
        rest = b""
        while chunk := self._file.read(1 << 16):
            *complete, rest = (rest + chunk).split(b"\0")
            yield from complete
