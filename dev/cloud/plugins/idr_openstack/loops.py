"""Loop devices over volume files."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass


@dataclass(frozen=True)
class Loop:
    """A loop device."""

    name: str
    """The path /dev/loopN."""
    number: str
    """The device number MAJOR:MINOR, as in /proc/PID/mountinfo."""


def run(*argv: str) -> str:
    """Run a program and return its output, stripped.

    Raises subprocess.CalledProcessError if the program failed.
    """
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()


def over(path: str) -> Loop | None:
    """Return the device over this file, if there is one.

    Ignore a device with the autoclear flag: it is detached, and listed only because a process still has it open.
    """
    for line in run("losetup", "-n", "-O", "NAME,MAJ:MIN,AUTOCLEAR", "-j", path).splitlines():
        name, number, autoclear = line.split()
        if autoclear == "0":
            return Loop(name, number)
    return None


def attach(path: str) -> Loop:
    """Return the device over this file. Create it if there is none."""
    loop = over(path)
    if loop is None:
        run("losetup", "-f", path)
        loop = over(path)
    if loop is None:
        raise RuntimeError(f"no loop device over {path}")
    return loop


def detach(path: str) -> None:
    """Detach the device over this file, if there is one."""
    loop = over(path)
    if loop:
        run("losetup", "-d", loop.name)


def resize(path: str) -> None:
    """Resize the device over this file, if there is one, to the file's new size."""
    loop = over(path)
    if loop:
        run("losetup", "-c", loop.name)
