"""Limits of disks, the database's volume and memory, at which no more rows start."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

FULL = 0.95
DATABASE_FULL = 0.85
"""Share of its volume. The rest is for the write-ahead log (WAL), sorting and vacuum."""
GIB = 1 << 30
IMPORTER_BYTES = 1.5 * GIB
"""Memory of the importer: a heap of 1 GiB, and Java itself."""


def full(folders: Iterable[str]) -> Iterator[str]:
    """Yield a message for each disk that is nearly full, in bytes or in files."""
    for folder in folders:
        about = os.statvfs(folder)
        if about.f_blocks and about.f_bavail < (1 - FULL) * about.f_blocks:
            yield f"the disk of {folder} is {_percent(about.f_bavail, about.f_blocks)} % full"
        if about.f_files and about.f_favail < (1 - FULL) * about.f_files:
            yield f"the disk of {folder} has {_percent(about.f_favail, about.f_files)} % of its files"


def _percent(free: int, total: int) -> int:
    return round(100 * (1 - free / total))


def database_full(size: int, volume_gib: int) -> Iterator[str]:
    """Yield a message if the database nearly fills its volume; `volume_gib` 0 means unknown."""
    if volume_gib and size > DATABASE_FULL * volume_gib * GIB:
        yield f"the database has {size / GIB:.0f} GiB, its volume {volume_gib}: enlarge it (volumes.db.sizeGib)"


def has_memory(meminfo: Path = Path("/proc/meminfo")) -> bool:
    """Whether the node has memory for another importer."""
    values = dict(line.split(":") for line in meminfo.read_text().splitlines())
    return int(values["MemAvailable"].split()[0]) * 1024 > IMPORTER_BYTES
