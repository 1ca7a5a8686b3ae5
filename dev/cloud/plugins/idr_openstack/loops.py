"""Loop devices over volume files."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass


@dataclass(frozen=True)
class Loop:
    """A loop device."""

    name: str
    """Its node, /dev/loopN."""
    number: str
    """Its device number, as in /proc/PID/mountinfo: MAJOR:MINOR."""


def run(*argv: str) -> str:
    """Run a program; its output without the last line's end.

    Raises:
        subprocess.CalledProcessError: it failed.

    """
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()


def over(path: str) -> Loop | None:
    """The device over this file, if there is one that is still meant to be there.

    A detached one that somebody still holds open is listed on, with the autoclear flag.
    """
    for line in run("losetup", "-n", "-O", "NAME,MAJ:MIN,AUTOCLEAR", "-j", path).splitlines():
        name, number, autoclear = line.split()
        if autoclear == "0":
            return Loop(name, number)
    return None


def attach(path: str) -> Loop:
    """The device over this file, made if need be."""
    loop = over(path)
    if loop is None:
        run("losetup", "-f", path)
        loop = over(path)
    if loop is None:
        raise RuntimeError(f"no loop device over {path}")
    return loop


def detach(path: str) -> None:
    """Take the device over this file away, if there is one."""
    loop = over(path)
    if loop:
        run("losetup", "-d", loop.name)


def resized(path: str) -> None:
    """Tell the device over this file, if there is one, that the file has grown."""
    loop = over(path)
    if loop:
        run("losetup", "-c", loop.name)
