"""A control group of its own for each guest's systemd, in the hierarchies where libvirt makes none.

libvirt-lxc gives a container groups under the controllers of version 1, but not in version 2 beside them nor in
systemd's own hierarchy (`name=systemd`), unless the machine's systemd does it. Where there is none, every guest's init
stands at the root, and all of them keep `/system.slice/ssh.service` in one and the same group: they take it from each
other while a unit starts (status 219/CGROUP), and cannot kill what is left of a unit in it (EIO, since the other
guests' processes have no number here).
"""

from __future__ import annotations

from pathlib import Path

from idr_openstack import loops

_UNIFIED = ""  # how /proc/PID/cgroup names version 2
_SYSTEMDS = (_UNIFIED, "name=systemd")
"""Where systemd keeps units by itself. Its place there is also the one it uses under every controller."""


def enter(pid: int, name: str) -> None:
    """Put the init `pid` of the guest `name`, before it becomes systemd, into a group of its own where it has none.

    Raises:
        subprocess.CalledProcessError: the group could not be made.

    """
    ours, its = _groups("self"), _groups(str(pid))
    for hierarchy in _SYSTEMDS:
        if hierarchy in its and its[hierarchy] == ours[hierarchy]:
            _at(hierarchy, 'mkdir -p "$1"; echo "$2" > "$1/cgroup.procs"', _group(name), str(pid))


def remove(name: str) -> None:
    """Take away what is left of the groups of the guest `name`, which has ended; `dev.cloud down` takes what stays."""
    for hierarchy in _groups("self"):
        _at(hierarchy, '[ ! -d "$1" ] || find "$1" -depth -type d -exec rmdir {} + || :', _group(name))


def _group(name: str) -> str:
    return f"machine/guests/{name}"


def _groups(process: str) -> dict[str, str]:
    """The group of a process in each hierarchy, by the hierarchy's controllers."""
    lines = Path("/proc", process, "cgroup").read_text().splitlines()
    return {controllers: group for _, controllers, group in (line.split(":", 2) for line in lines)}


def _at(hierarchy: str, script: str, *arguments: str) -> None:
    """Run a script at the root of a hierarchy, mounted for nobody else: libvirt stumbles over version 2 beside 1."""
    options = f"none,{hierarchy}" if hierarchy.startswith("name=") else hierarchy  # one with a name has no controller
    kind = "cgroup2" if hierarchy == _UNIFIED else f"cgroup -o {options}"
    mounted = f"/usr/bin/mount -t {kind} none /sys/fs/cgroup; cd /sys/fs/cgroup; {script}"
    loops.run("unshare", "--mount", "sh", "-ec", mounted, "sh", *arguments)
