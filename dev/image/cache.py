"""The cache of builds: its folder, the keys of its entries, and builds that appear only when they are complete."""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path


class BuildError(Exception):
    """The build failed; the message says why in one or two lines."""


def cache_root() -> Path:
    """Return the folder of all that this project caches on the machine. It can be deleted."""
    if explicit := os.environ.get("IDR_CACHE"):
        return Path(explicit)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "idr-deployment"


def files_below(folder: Path) -> list[Path]:
    """Return every source file of `folder`, sorted, without byte code."""
    return sorted(p for p in folder.rglob("*") if p.is_file() and "__pycache__" not in p.parts)


def key_of(files: Iterable[Path], *words: str) -> str:
    """Return a hash of these files (content, name and mode) and words: 16 hexadecimal digits."""
    digest = hashlib.sha256()
    for word in words:
        digest.update(word.encode() + b"\0")
    for path in files:
        executable = os.access(path, os.X_OK)
        digest.update(f"{path.name}\0{executable}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


def build_once(target: Path, build: Callable[[Path], None]) -> Path:
    """Return `target`. Where it does not exist, call `build(directory)` first.

    `directory` is a temporary sibling of `target` and gets its name at the end, so that an interrupted build leaves no
    `target`. The next build removes what an interrupted one left. A second process that needs the same `target` waits
    for the first; the kernel releases the lock when its process ends in any way.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.with_name(f".{target.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if target.is_dir():
            return target
        partial = target.with_name(f".{target.name}.part")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        build(partial)
        partial.rename(target)
        return target
