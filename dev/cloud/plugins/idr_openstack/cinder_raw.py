"""Cinder driver: raw files on the NFS driver's share; snapshots and clones are copies that share their blocks.

They may be taken while the volume is attached on this machine: its file system is frozen meanwhile. The stock driver
makes chains of qcow2 files instead, which need QEMU to read them, and its clone of a volume in use ends in `error`.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cinder import interface
from cinder.volume.drivers import nfs

from idr_openstack import loops

_FREEZE, _THAW = 0xC0045877, 0xC0045878


def _mount_of(number: str) -> str | None:
    """A folder, as seen from here, where any process of this machine has the device `number` mounted."""
    for table in Path("/proc").glob("[0-9]*/mountinfo"):
        try:
            lines = table.read_text().splitlines()
        except OSError:  # it ended
            continue
        for line in lines:
            fields = line.split()
            if fields[2] == number:
                return f"{table.parent}/root{fields[4]}"
    return None


@contextlib.contextmanager
def frozen(path: str) -> Iterator[None]:
    """Hold still whatever file system lies on the volume in this file, if it is in use."""
    loop = loops.over(path)
    folder = loop and _mount_of(loop.number)
    if loop and not folder:
        loops.run("blockdev", "--flushbufs", loop.name)
    if not folder:
        yield
        return
    held = os.open(folder, os.O_RDONLY)
    try:
        fcntl.ioctl(held, _FREEZE, 0)
        try:
            yield
        finally:
            fcntl.ioctl(held, _THAW, 0)
    finally:
        os.close(held)


def copy(source: str, target: str) -> None:
    """Copy a volume as it is at one moment."""
    with frozen(source):
        subprocess.run(["cp", "--reflink=auto", "--sparse=always", source, target], check=True)


@interface.volumedriver
class RawFileDriver(nfs.NfsDriver):
    """The NFS driver, with copies in place of chains."""

    def _snapshot_path(self, snapshot: Any) -> str:
        return f"{self.local_path(snapshot.volume)}.snapshot-{snapshot.id}"

    def _volume_from(self, source: str, volume: Any) -> dict[str, str]:
        self._ensure_shares_mounted()
        volume.provider_location = self._find_share(volume)
        target = self.local_path(volume)
        copy(source, target)
        os.truncate(target, volume.size << 30)
        return {"provider_location": volume.provider_location}

    def create_snapshot(self, snapshot: Any) -> None:
        copy(self.local_path(snapshot.volume), self._snapshot_path(snapshot))

    def delete_snapshot(self, snapshot: Any) -> None:
        Path(self._snapshot_path(snapshot)).unlink(missing_ok=True)

    def create_volume_from_snapshot(self, volume: Any, snapshot: Any) -> dict[str, str]:
        return self._volume_from(self._snapshot_path(snapshot), volume)

    def create_cloned_volume(self, volume: Any, src_vref: Any) -> dict[str, str]:
        return self._volume_from(self.local_path(src_vref), volume)

    def extend_volume(self, volume: Any, new_size: int) -> None:
        """Make the file longer, attached or not: Nova's driver tells the guest."""
        os.truncate(self.local_path(volume), new_size << 30)
