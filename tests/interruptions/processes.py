"""The processes of a running engine: which there are, and their end."""

import os
import signal
import time
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

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
"""What is in the command line of each; the engine is the process that was started."""


def kill(engine: int, victim: Victim) -> None:
    """End a process of an engine as the kernel does when memory runs out. The program may have ended already."""
    if victim == Victim.ENGINE:
        os.kill(engine, signal.SIGKILL)
        return
    for process in descendants(engine):
        if SIGNS[victim] in _command(process):
            os.kill(process, signal.SIGKILL)


def descendants(process: int) -> list[int]:
    """Every process that a process has started, and those that they have."""
    children: dict[int, list[int]] = {}
    for child, parent in _parents():
        children.setdefault(parent, []).append(child)
    known, ahead = [], [process]
    while ahead:
        ahead = [child for one in ahead for child in children.get(one, ())]
        known += ahead
    return known


def wait_for_end(processes: list[int]) -> None:
    """Wait until none of them runs: plugins notice within seconds that their engine is gone."""
    end = time.monotonic() + END_SECONDS
    while any(_command(process) for process in processes):
        assert time.monotonic() < end, "a plugin outlives its engine"
        time.sleep(PAUSE_SECONDS)


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
    """A process's command line; empty where it has ended."""
    try:
        return (Path("/proc") / str(process) / "cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""
