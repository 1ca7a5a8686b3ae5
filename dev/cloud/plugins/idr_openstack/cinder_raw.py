"""Cinder driver: raw files on the NFS driver's share. Snapshots and clones are copies that share blocks (reflinks).

A volume may be attached on this machine meanwhile: the driver freezes its file system. The stock driver creates chains
of qcow2 files, which only QEMU can read, and its clone of an attached volume ends in `error`.
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
    """Return a path on the host to a mount of the device `number` in any process's mount namespace."""
    for table in Path("/proc").glob("[0-9]*/mountinfo"):
        try:
            lines = table.read_text().splitlines()
        except OSError:  # the process has ended
            continue
        for line in lines:
            fields = line.split()
            if fields[2] == number:
                return f"{table.parent}/root{fields[4]}"
    return None


@contextlib.contextmanager
def frozen(path: str) -> Iterator[None]:
    """Freeze the file system on the volume in this file, if it is mounted. Otherwise flush the device."""
    loop = loops.over(path)
    folder = loop and _mount_of(loop.number)
    if loop and not folder:
        loops.run("blockdev", "--flushbufs", loop.name)
    if not folder:
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.ioctl(descriptor, _FREEZE, 0)
        try:
            yield
        finally:
            fcntl.ioctl(descriptor, _THAW, 0)
    finally:
        os.close(descriptor)


def copy(source: str, target: str) -> None:
    """Copy a volume in a consistent state."""
    with frozen(source):
        subprocess.run(["cp", "--reflink=auto", "--sparse=always", source, target], check=True)


@interface.volumedriver
class RawFileDriver(nfs.NfsDriver):
    """The NFS driver, with copies instead of chains."""

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
        """Extend the file, attached or not. Nova's driver resizes the device of the guest."""
        os.truncate(self.local_path(volume), new_size << 30)
