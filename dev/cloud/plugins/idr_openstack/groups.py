"""A separate control group for each guest's systemd, in the hierarchies where libvirt creates none.

libvirt-lxc creates a container's groups under the controllers of version 1. It creates none in a version 2 hierarchy
beside them, and none in systemd's own hierarchy (`name=systemd`), unless the machine's systemd does it. Without such a
group, the init of every guest is in the root group, and all guests share one group for `/system.slice/ssh.service`.
Then one guest takes the group from another while a unit starts (status 219/CGROUP), and a guest cannot kill the
processes in it (EIO, because the other guests' processes have no process id in its namespace).
"""

from __future__ import annotations

from pathlib import Path

from idr_openstack import loops

_UNIFIED = ""  # how /proc/PID/cgroup names version 2
_SYSTEMDS = (_UNIFIED, "name=systemd")
"""The hierarchies in which systemd itself keeps units. It uses the same path under every controller."""


def enter(pid: int, name: str) -> None:
    """Move the init `pid` of the guest `name` into a separate group where it has none. Do this before it runs systemd.

    Raises subprocess.CalledProcessError if the group could not be created.
    """
    ours, its = _groups("self"), _groups(str(pid))
    for hierarchy in _SYSTEMDS:
        if hierarchy in its and its[hierarchy] == ours[hierarchy]:
            _at(hierarchy, 'mkdir -p "$1"; echo "$2" > "$1/cgroup.procs"', _group(name), str(pid))


def remove(name: str) -> None:
    """Remove the groups of the guest `name`, which has ended. `dev.cloud down` removes those that stay."""
    for hierarchy in _groups("self"):
        _at(hierarchy, '[ ! -d "$1" ] || find "$1" -depth -type d -exec rmdir {} + || :', _group(name))


def _group(name: str) -> str:
    return f"machine/guests/{name}"


def _groups(process: str) -> dict[str, str]:
    """Return the group of a process in each hierarchy, by the hierarchy's controllers."""
    lines = Path("/proc", process, "cgroup").read_text().splitlines()
    return {controllers: group for _, controllers, group in (line.split(":", 2) for line in lines)}


def _at(hierarchy: str, script: str, *arguments: str) -> None:
    """Run a script in a hierarchy, in a private mount: libvirt fails if it sees version 2 beside version 1."""
    options = f"none,{hierarchy}" if hierarchy.startswith("name=") else hierarchy  # a named hierarchy has no controller
    kind = "cgroup2" if hierarchy == _UNIFIED else f"cgroup -o {options}"
    mounted = f"/usr/bin/mount -t {kind} none /sys/fs/cgroup; cd /sys/fs/cgroup; {script}"
    loops.run("unshare", "--mount", "sh", "-ec", mounted, "sh", *arguments)
