"""Additions to libvirt's LXC driver: reliable start and stop of containers, and removal of mounted volumes."""

from __future__ import annotations

import fcntl
import os
import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import libvirt
import libvirt_lxc
from nova import exception
from oslo_log import log

from idr_openstack import loops

LOG = log.getLogger(__name__)

_SHUT_DOWN = 0x8004587D
"""XFS_IOC_GOINGDOWN, EXT4_IOC_SHUTDOWN: flush, then let every access fail, as if the disk were removed."""
_SETTLE_SECONDS = 5


def settle(guest: Any, instance: Any, starts: int = 3) -> None:
    """Wait until libvirt knows the process id of a guest's init, and restart the guest if it never does.

    Without the process id, libvirt cannot attach devices. It sometimes loses the message with the id when several
    guests start at once: it listens to the container's controller before it has registered the callback
    (virLXCMonitorNew).
    """
    for again in range(starts):
        end = time.monotonic() + _SETTLE_SECONDS
        while time.monotonic() < end:
            if _init_known(guest):
                return
            time.sleep(0.1)
        if again < starts - 1:
            LOG.warning("libvirt missed the start of the container: started again", instance=instance)
            until_off(guest.poweroff)
            guest.launch()
    raise exception.InstancePowerOnFailure(reason="libvirt does not learn the container's process id")


def until_off(power_off: Callable[[], None], tries: int = 5) -> None:
    """Power a container off. Retry if its control group disappears while libvirt reads the processes to kill in it."""
    for left in reversed(range(tries)):
        try:
            power_off()
        except libvirt.libvirtError as error:
            if error.get_error_code() == libvirt.VIR_ERR_OPERATION_INVALID:
                return  # it is already off
            if not left or "No such device" not in str(error):
                raise
            time.sleep(0.2)
        else:
            return


def _init_known(guest: Any) -> bool:
    try:
        descriptors = libvirt_lxc.lxcOpenNamespace(guest._domain, 0)
    except libvirt.libvirtError:
        return False
    for descriptor in descriptors:
        os.close(descriptor)
    return True


def mounted(pid: int, number: str) -> Iterator[str]:
    """Yield the mount points of the device `number` in a process's namespace, the last mount first."""
    for line in reversed(Path(f"/proc/{pid}/mountinfo").read_text().splitlines()):
        fields = line.split()
        if fields[2] == number:
            yield fields[4]


def pull(pid: int, target: str) -> None:
    """Unmount a file system lazily and shut it down."""
    descriptor = os.open(f"/proc/{pid}/root{target}", os.O_RDONLY)
    try:
        # Unmount first: after the shutdown, the path gives EIO. -p is needed because umount reads /proc/self.
        loops.run("nsenter", "-t", str(pid), "-m", "-p", "umount", "-l", target)
        fcntl.ioctl(descriptor, _SHUT_DOWN, struct.pack("I", 0))
    finally:
        os.close(descriptor)
