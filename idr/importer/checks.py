"""Check every path of a list before anything is imported."""

import os
import pwd
import stat
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from .rows import Row

THREADS = 16
SHOWN = 3
RECENT_SECONDS = 3600
"""Files changed within this time are checked twice: a different size means that they are still being written."""
PAUSE = 5.0
SERVER = "omero-server"
FAULTS = {
    "twice": "are there twice in the list",
    "form": "are not plain absolute paths: no '..', '.', '//' or control characters",
    "outside": "are not below a mount of this node; name their place in storage, or correct the list",
    "away": "are on a mount that is not there; see `idr status`",
    "missing": "are not there",
    "unreadable": "cannot be read by the account omero-import",
    "closed": "cannot be read by OMERO.server: give its group, or all, the right to read, also to the folders above",
    "empty": "are empty",
    "growing": "are still being written: wait until they are complete",
}
"""Kinds of faults, each with its text for messages."""


@dataclass(frozen=True)
class Look:
    """The result for one path: its kind of fault, or its size, its mount, and whether it is a folder."""

    fault: str = ""
    size: int = 0
    mount: str = ""
    folder: bool = False
    recent: bool = False


@dataclass
class Checked:
    """The results for a list: number and first paths of each kind of fault, and all paths without a fault."""

    faults: dict[str, dict[str, Any]] = field(default_factory=dict)
    good: dict[str, Look] = field(default_factory=dict)


def check(rows: Sequence[Row], mounts: Iterable[str], own_folders: Iterable[str], pause: float = PAUSE) -> Checked:
    """Check every row's path. `mounts` must be mounted; `own_folders` are on this node's own disks."""
    look = _Looker(tuple(mounts), tuple(own_folders))
    with ThreadPoolExecutor(THREADS) as pool:
        looks = dict(zip((row.path for row in rows), pool.map(lambda row: look(row.path), rows), strict=True))
        recent = [path for path, result in looks.items() if result.recent and not result.fault]
        if recent:
            time.sleep(pause)
            for path, again in zip(recent, pool.map(look, recent), strict=True):
                if again.size != looks[path].size:
                    looks[path] = Look("growing")
    counts = Counter(row.path for row in rows)
    looks |= {path: Look("twice") for path, count in counts.items() if count > 1}
    checked = Checked(good={path: result for path, result in looks.items() if not result.fault})
    for kind in FAULTS:
        bad = [path for path in counts if looks[path].fault == kind]
        if bad:
            checked.faults[kind] = {"count": len(bad), "first": bad[:SHOWN]}
    return checked


class _Looker:
    """Checks one path at a time, and caches mounts, links and permissions."""

    def __init__(self, mounts: tuple[str, ...], own_folders: tuple[str, ...]) -> None:
        self._mounts = mounts
        self._roots = sorted((*mounts, *own_folders), key=len, reverse=True)
        self._is_mounted = lru_cache(None)(os.path.ismount)
        self._can_enter = lru_cache(None)(_can_enter)
        self._link = lru_cache(None)(_target)

    def __call__(self, path: str) -> Look:
        root = self._root_of(path)
        if root and root not in self._mounts:
            root = self._root_of(f"{self._resolved(path, root)}/") or root
        if fault := self._fault_of_root(path, root):
            return Look(fault)
        try:
            return self._at(path, root)
        except FileNotFoundError:
            return Look("missing")
        except OSError:
            return Look("unreadable")

    def _root_of(self, path: str) -> str:
        return next((root for root in self._roots if path.startswith(f"{root}/")), "")

    def _resolved(self, path: str, folder: str) -> str:
        """Replace the first link of a path below `folder` by its target. The target itself is not accessed."""
        current, rest = Path(folder), list(Path(path).relative_to(folder).parts)
        while rest:
            current /= rest.pop(0)
            if target := self._link(str(current)):
                return os.path.normpath(current.parent.joinpath(target, *rest))
        return path

    def _fault_of_root(self, path: str, root: str) -> str:
        if path != os.path.normpath(path) or not path.startswith("/") or not path.isprintable():
            return "form"
        if not root:
            return "outside"
        return "away" if root in self._mounts and not self._is_mounted(root) else ""

    def _at(self, path: str, root: str) -> Look:
        size, newest, unreadable, closed = 0, 0.0, False, False
        is_folder = Path(path).is_dir()
        for file in _files(path):
            about = file.stat()
            size, newest = size + about.st_size, max(newest, about.st_mtime)
            unreadable |= not os.access(file, os.R_OK)
            closed |= not _has_right(about, stat.S_IRUSR) or not self._can_enter(str(file.parent))
            closed |= file.is_symlink() and not self._can_enter(str(file.resolve().parent))
        fault = "unreadable" if unreadable else "closed" if closed else "" if size else "empty"
        return Look(fault, size, root, is_folder, time.time() - newest < RECENT_SECONDS)


def _files(path: str) -> Iterator[Path]:
    """Yield every file at a path, following links as OMERO's importer does. Each folder comes once."""
    if not Path(path).is_dir():
        yield Path(path)
        return
    visited = {os.path.realpath(path)}
    for folder, inner, names in os.walk(path, onerror=_raise, followlinks=True):
        yield from (Path(folder, name) for name in names)
        real = {os.path.realpath(Path(folder, name)): name for name in inner}
        inner[:] = [name for current, name in real.items() if current not in visited]
        visited.update(real)


def _raise(error: OSError) -> None:
    raise error


def _target(path: str) -> str:
    """The target of a link; empty for a path that is no link."""
    try:
        return str(Path(path).readlink())
    except OSError:
        return ""


def _can_enter(folder: str) -> bool:
    """Whether OMERO.server can enter a folder and all its parents, both by the given path and by the resolved one."""
    places = {Path(folder), Path(folder).resolve()}
    return all(_has_right(above.stat(), stat.S_IXUSR) for current in places for above in (current, *current.parents))


def _has_right(about: os.stat_result, right: int) -> bool:
    """Whether OMERO.server has a right (one of the owner's three bits), by owner, group and mode."""
    user, groups = _server()
    if user is None:
        return True
    if about.st_uid == user:
        return bool(about.st_mode & right)
    return bool(about.st_mode & (right >> 3 if about.st_gid in groups else right >> 6))


@lru_cache(None)
def _server() -> tuple[int | None, frozenset[int]]:
    try:
        account = pwd.getpwnam(SERVER)
    except KeyError:
        return None, frozenset()
    return account.pw_uid, frozenset(os.getgrouplist(SERVER, account.pw_gid))
