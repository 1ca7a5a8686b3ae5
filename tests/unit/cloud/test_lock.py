"""The local cloud's lock: root trusts its content, so nobody else may write it or hold it."""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from dev.cloud import control, lock
from dev.cloud.layout import State
from dev.cloud.process import CloudError


@pytest.fixture
def lock_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "idr-cloud" / "lock"
    monkeypatch.setattr(lock, "LOCK", path)
    return path


@pytest.fixture
def held(lock_folder: Path) -> Iterator[int]:
    """Take the lock as a cloud does."""
    assert not lock_folder.exists()
    descriptor = lock.take()
    assert descriptor is not None
    lock.write(descriptor, "/a/folder with spaces 4711")
    yield descriptor
    os.close(descriptor)


@pytest.mark.usefixtures("held")
def test_the_lock_is_in_a_folder_that_only_root_can_write_or_look_into(lock_folder: Path) -> None:
    assert stat.S_IMODE(lock_folder.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(lock_folder.stat().st_mode) == 0o600


def test_the_folder_of_the_lock_is_created_where_no_other_user_can() -> None:
    about = lock.LOCK.parent.parent.stat()
    assert about.st_uid == 0
    assert not about.st_mode & 0o022


@pytest.mark.usefixtures("held")
def test_who_holds_the_lock_is_the_cloud_that_is_up() -> None:
    assert control.holder() == (State(Path("/a/folder with spaces")), 4711)
    assert lock.take() is None


@pytest.mark.usefixtures("lock_folder")
def test_nobody_holds_a_lock_that_is_free() -> None:
    assert control.holder() is None
    descriptor = lock.take()
    assert descriptor is not None
    os.close(descriptor)
    assert control.holder() is None


REFUSALS = {
    ("link", "folder"): "Not a directory",
    ("link", "file"): "Too many levels of symbolic links",
    **{(kind, "folder"): "/idr-cloud can be written by another user" for kind in ("another's", "writable")},
    **{(kind, "file"): "/idr-cloud/lock can be written by another user" for kind in ("another's", "writable")},
}


@pytest.mark.parametrize(("kind", "part"), REFUSALS)
def test_what_another_user_can_have_written_is_not_believed(
    lock_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str, kind: str
) -> None:
    """Root would enter the namespaces of a process that is named there, and run a program of that user's."""
    real = tmp_path / "real"
    real.mkdir(mode=0o700)
    (real / "lock").write_text("/victim 1")
    (real / "lock").chmod(0o600)
    target = lock_folder.parent if part == "folder" else lock_folder
    if kind == "link" and part == "file":
        lock_folder.parent.mkdir(mode=0o700)
        lock_folder.symlink_to(real / "lock")
    elif kind == "link":
        lock_folder.parent.symlink_to(real)
    else:
        real.rename(lock_folder.parent)
        target.chmod(target.stat().st_mode | (0o022 if kind == "writable" else 0))
    if kind == "another's":
        other, fstat = target.stat(), os.fstat

        def owned(descriptor: int) -> os.stat_result:
            status = fstat(descriptor)
            return os.stat_result((*status[:4], 65534, *status[5:])) if os.path.samestat(status, other) else status

        monkeypatch.setattr(os, "fstat", owned)
    where = lock_folder if lock_folder.exists() else real / "lock"
    with where.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        for attempt in (control.holder, lock.take):
            with pytest.raises((CloudError, OSError), match=REFUSALS[kind, part]):
                attempt()
