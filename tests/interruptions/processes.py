"""The processes of a running engine, and how to kill them."""

import os
import signal
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

from tests.waiting import wait_until

END_SECONDS = 60
PAUSE_SECONDS = 0.05


class Victim(StrEnum):
    """A process of an update."""

    ENGINE = "engine"
    PROVIDER = "OpenStack plugin"
    LANGUAGE = "language host"
    PROGRAM = "program"


SIGNS = {
    Victim.PROVIDER: "pulumi-resource-openstack",
    Victim.LANGUAGE: "language_host.py 127.0.0.1",
    Victim.PROGRAM: "language_host.py --program",
}
"""A part of the command line of each; the engine is the process that was started."""


def kill(engine: int, victim: Victim) -> None:
    """Kill a process of an engine, as the kernel does when memory runs out. The program may have ended already."""
    if victim == Victim.ENGINE:
        os.kill(engine, signal.SIGKILL)
        return
    for process in descendants(engine):
        if SIGNS[victim] in _command(process):
            os.kill(process, signal.SIGKILL)


def descendants(process: int) -> list[int]:
    """Return all processes that a process has started, and that these have started."""
    children: dict[int, list[int]] = {}
    for child, parent in _parents():
        children.setdefault(parent, []).append(child)
    known, ahead = [], [process]
    while ahead:
        ahead = [child for one in ahead for child in children.get(one, ())]
        known += ahead
    return known


def wait_for_end(processes: list[int]) -> None:
    """Wait until all have ended: plugins end some seconds after their engine."""
    wait_until(
        lambda: not any(map(_command, processes)),
        END_SECONDS,
        pause=PAUSE_SECONDS,
        state=lambda: "a plugin outlives its engine",
    )


def _parents() -> Iterator[tuple[int, int]]:
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                # The name in brackets may have spaces.
                after_name = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            yield int(folder.name), int(after_name[1])


def _command(process: int) -> str:
    """Return the command line of a process; empty if it has ended."""
    try:
        return (Path("/proc") / str(process) / "cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""
