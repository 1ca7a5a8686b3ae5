"""When no more rows may begin."""

import os
from pathlib import Path

import pytest

from idr.importer import limits

GIB = limits.GIB


def disk(monkeypatch: pytest.MonkeyPatch, free: int, files: int) -> None:
    """Simulate a disk with this number of free blocks and files of 100."""
    about = os.statvfs_result((4096, 4096, 100, free, free, 100, files, files, 0, 255))
    monkeypatch.setattr(os, "statvfs", lambda _: about)


@pytest.mark.parametrize(
    ("free", "files", "lacks"),
    [
        (6, 6, []),
        (4, 6, ["the disk of /data is 96 % full"]),
        (6, 4, ["the disk of /data has 96 % of its files"]),
        (0, 0, ["the disk of /data is 100 % full", "the disk of /data has 100 % of its files"]),
    ],
)
def test_a_disk_is_full_in_bytes_or_in_files(
    monkeypatch: pytest.MonkeyPatch, free: int, files: int, lacks: list[str]
) -> None:
    disk(monkeypatch, free, files)
    assert list(limits.full(["/data"])) == lacks


@pytest.mark.parametrize(("gib", "volume", "is_full"), [(84, 100, False), (86, 100, True), (500, 0, False)])
def test_a_database_leaves_room_on_its_volume(gib: int, volume: int, is_full: bool) -> None:
    assert bool(list(limits.database_full(gib * GIB, volume))) == is_full


@pytest.mark.parametrize(("kib", "enough"), [(1 << 20, False), (2 << 20, True)])
def test_another_importer_needs_memory(tmp_path: Path, kib: int, enough: bool) -> None:
    (tmp_path / "meminfo").write_text(f"MemTotal: 9 kB\nMemAvailable:   {kib} kB\n")
    assert limits.has_memory(tmp_path / "meminfo") == enough
