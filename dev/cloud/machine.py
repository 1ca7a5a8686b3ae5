"""Check that this machine can run the cloud."""

import functools
import ipaddress
import json
import os
import platform
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from dev.cloud import layout

_MEMORY_MIB = 11 * 1024  # a machine with nominally 12 GiB reports a little less
_DISK_GIB = 25
_MODULES = (
    *("bridge", "br_netfilter", "veth", "vxlan", "loop", "xfs", "ip_set", "nf_conntrack", "xt_physdev"),
    *("xt_set", "xt_CT", "xt_conntrack", "xt_multiport", "iptable_raw", "iptable_nat", "iptable_mangle"),
)
_INTERFACES = ("bridge", "veth", "vxlan id 1 dstport 4789")


@dataclass(frozen=True)
class Machine:
    """Facts about the machine."""

    system: str
    root: bool
    apt: bool
    memory_mib: int
    free_gib: int
    python: tuple[int, int]

    @classmethod
    def this(cls, folder: Path) -> Self:
        """Return the facts of this machine, with the free space for `folder`."""
        while not folder.exists():
            folder = folder.parent
        pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        version = platform.python_version_tuple()
        return cls(
            system=platform.system(),
            root=os.geteuid() == 0,
            apt=shutil.which("apt-get") is not None,
            memory_mib=pages >> 20,
            free_gib=shutil.disk_usage(folder).free >> 30,
            python=(int(version[0]), int(version[1])),
        )

    def problems(self) -> list[str]:
        """Return why the cloud cannot run on this machine; empty if it can."""
        problems = []
        if self.system != "Linux":
            problems.append(f"it needs Linux namespaces, and this is {self.system}: use a Debian 12 virtual machine")
        if not self.root:
            problems.append("it makes namespaces, bridges and mounts: run it as root")
        if not self.apt:
            problems.append("its packages are Debian's: there is no apt-get here")
        if self.memory_mib < _MEMORY_MIB:
            problems.append(f"it needs 12 GiB of memory, and there are {self.memory_mib / 1024:.1f}")
        if self.free_gib < _DISK_GIB:
            problems.append(f"it needs {_DISK_GIB} GiB of free disk, and there are {self.free_gib}")
        if not (3, 11) <= self.python <= (3, 12):
            problems.append(
                f"OpenStack 2024.2 needs Python 3.11 or 3.12, and this is {'.'.join(map(str, self.python))}"
            )
        return problems


def load_modules() -> None:
    """Load the kernel modules. Their features are checked afterwards, since they may be built in."""
    if shutil.which("modprobe"):
        subprocess.run(["modprobe", "-aq", *_MODULES], check=False, capture_output=True)


def missing_kernel_features() -> list[str]:
    """Return what the kernel lacks, tested in separate namespaces."""
    load_modules()
    lacking = [
        f"network interfaces of type {kind.split()[0]}"
        for kind in _INTERFACES
        if not _works(f"ip link add probe type {kind}")
    ]
    if not _works("mount -t tmpfs none /mnt"):
        lacking.append("mount namespaces")
    if "\txfs\n" not in Path("/proc/filesystems").read_text():
        lacking.append("the XFS file system")
    if not Path("/dev/loop-control").exists():
        lacking.append("loop devices")
    try:
        iptables_flavour()
    except OSError as error:
        lacking.append(str(error))
    return lacking


def _works(script: str) -> bool:
    argv = ["unshare", "--net", "--mount", "--pid", "--uts", "--fork", "--mount-proc", "/bin/sh", "-ec", script]
    return subprocess.run(argv, check=False, capture_output=True).returncode == 0


@functools.cache
def iptables_flavour() -> str:
    """Return the flavour of iptables that accepts the rules of Neutron's agents: legacy or nft.

    Raises OSError if neither does.
    """
    # Rules of the kinds that Neutron's Linux bridge agent and this program create.
    rules = (
        "-t raw -A PREROUTING -m physdev --physdev-in x -j CT --zone 1",
        "-t mangle -A FORWARD -m physdev --physdev-out x --physdev-is-bridged -m conntrack --ctstate NEW -j DROP",
        "-A INPUT -p tcp -m multiport --dports 1,2 -m comment --comment x -j ACCEPT",
        "-t nat -A POSTROUTING -j SNAT --to-source 192.0.2.1",
        "-t mangle -A PREROUTING -j MARK --set-xmark 0x1/0xffff",
    )
    for flavour in ("legacy", "nft"):
        if _works("\n".join(f"/usr/sbin/xtables-{flavour}-multi iptables {rule}" for rule in rules)):
            return flavour
    raise OSError("packet filtering (iptables with physdev, CT, conntrack and NAT)")


def address_conflict() -> str | None:
    """Return what on this machine conflicts with the cloud's addresses, if anything."""
    shown = subprocess.run(["ip", "-j", "-4", "route", "show", "table", "all"], capture_output=True, check=True)
    for route in json.loads(shown.stdout or b"[]"):
        target = route.get("dst", "default")
        if target == "default" or route.get("dev") == layout.HOST_LINK:
            continue
        if ipaddress.IPv4Network(target, strict=False).overlaps(layout.EXTERNAL):
            return f"{target} on {route.get('dev', '?')}"
    return None
