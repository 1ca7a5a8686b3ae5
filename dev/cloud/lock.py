"""The lock of the one cloud per machine. It names a folder and a process that root trusts, so only root may write it.

Other users cannot enter its folder: a user who can read the file can also lock it, and no cloud could start.
"""

import fcntl
import os
from pathlib import Path
from typing import Final

from dev.cloud.process import CloudError

LOCK: Final = Path("/run/idr-cloud/lock")
"""Not in /run/lock, where every user of the machine can create files."""


def take() -> int | None:
    """Take the lock. Return its open file, which holds it for every process that inherits it; None if it is held.

    Raises CloudError if somebody else owns the lock or its folder.
    """
    LOCK.parent.mkdir(mode=0o700, exist_ok=True)
    lock = _open(os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return lock


def write(lock: int, text: str) -> None:
    """Write the holder of the lock."""
    os.ftruncate(lock, 0)
    os.pwrite(lock, text.encode(), 0)


def holder() -> str | None:
    """Return what the holder of the lock has written; None if nobody holds it.

    Raises CloudError if somebody else owns the lock or its folder.
    """
    try:
        lock = _open(os.O_RDONLY)
    except FileNotFoundError:
        return None
    with os.fdopen(lock) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return file.read()
    return None


def _open(flags: int) -> int:
    folder = os.open(LOCK.parent, os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        _require_root_owner(folder, LOCK.parent)
        lock = os.open(LOCK.name, flags | os.O_NOFOLLOW, 0o600, dir_fd=folder)
    finally:
        os.close(folder)
    _require_root_owner(lock, LOCK)
    return lock


def _require_root_owner(descriptor: int, path: Path) -> None:
    status = os.fstat(descriptor)
    if status.st_uid != os.geteuid() or status.st_mode & 0o022:
        raise CloudError(f"{path} can be written by another user than root: find out who created it, and remove it")
