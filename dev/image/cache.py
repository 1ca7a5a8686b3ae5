"""Where built things are kept, how they are named, and how they are replaced without half-built ones."""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path


class BuildError(Exception):
    """The build cannot go on; the message says why in one or two lines."""


def cache_root() -> Path:
    """Directory of everything this project caches on the machine; safe to delete."""
    if explicit := os.environ.get("IDR_CACHE"):
        return Path(explicit)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "idr-deployment"


def files_below(folder: Path) -> list[Path]:
    """Every source file of `folder`, sorted; byte code is left out."""
    return sorted(p for p in folder.rglob("*") if p.is_file() and "__pycache__" not in p.parts)


def key_of(files: Iterable[Path], *words: str) -> str:
    """Name for what these files (content, name and mode) and words determine: 16 hexadecimal digits."""
    digest = hashlib.sha256()
    for word in words:
        digest.update(word.encode() + b"\0")
    for path in files:
        executable = os.access(path, os.X_OK)
        digest.update(f"{path.name}\0{executable}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


def build_once(target: Path, build: Callable[[Path], None]) -> Path:
    """Return `target`, calling `build(directory)` first where it is absent.

    The directory handed to `build` is a temporary sibling, renamed at the end: an interrupted build leaves
    no `target`, and what it did leave is removed by the next one. A second program that wants the same waits for
    the first (the lock goes with its holder, however that ends).
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
