"""Run rclone, which supports every kind of storage and repeats failed requests."""

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import IO, Any, Self

from idr.errors import IdrError

STATISTICS = ("--use-json-log", "--stats", "1s", "--stats-log-level", "NOTICE")
_PREFIX = re.compile(r"^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d (?:(?:ERROR|CRITICAL|NOTICE)\s*: )?(?:Fatal error: )?")
"""The prefix of rclone's messages that are not in JSON."""
_WITHOUT_SUM = re.compile(r"(\d+) hashes could not be checked")
_NOT_CONFIGURED = "didn't find section in config file"
_LINK_SKIPPED = "Can't follow symlink"


@dataclass(frozen=True)
class Progress:
    """The progress of a run of rclone, from its log. The totals grow while it is listing files."""

    bytes_done: int = 0
    bytes_all: int = 0
    files_done: int = 0
    files_all: int = 0
    checks: int = 0
    errors: int = 0
    seconds: float = 0.0

    @classmethod
    def of(cls, stats: Mapping[str, Any]) -> Self:
        """Read it from the `stats` of a line of rclone's log."""
        return cls(
            bytes_done=int(stats["bytes"]),
            bytes_all=int(stats["totalBytes"]),
            files_done=int(stats["transfers"]),
            files_all=int(stats["totalTransfers"]),
            checks=int(stats["checks"]),
            errors=int(stats["errors"]),
            seconds=float(stats["elapsedTime"]),
        )


@dataclass(frozen=True)
class Result:
    """The result of a run of rclone: exit status, last progress, last error.

    `without_sum` files were compared by size, because source and destination have no kind of checksum in common.
    `links` were skipped, because no flag says how to treat them.
    """

    status: int
    progress: Progress
    message: str
    without_sum: int = 0
    links: int = 0


def run(*arguments: str, watch: Callable[[Progress], None] = lambda _: None) -> Result:
    """Run rclone to its end. Raises IdrError if it is not installed or cannot start.

    Failed files raise nothing: the caller reads the exit status.
    """
    progress, message, without_sum, links = Progress(), "", 0, 0
    command = [_program(), *arguments, *STATISTICS]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        for line in process.stderr or ():
            entry = _entry(line)
            if "stats" in entry:
                progress = Progress.of(entry["stats"])
                watch(progress)
            elif entry.get("level") in {"error", "critical"}:
                message = _message(entry)
            elif str(entry.get("msg", "")).startswith(_LINK_SKIPPED):
                links += 1
            elif match := _WITHOUT_SUM.match(str(entry.get("msg", ""))):
                without_sum = int(match[1])
    if process.returncode and not (progress.files_all or progress.checks):
        raise IdrError(f"rclone {' '.join(arguments[:3])}: {_with_advice(message)}")
    return Result(process.returncode, progress, message, without_sum, links)


def list_files(location: str, *flags: str) -> Iterator[tuple[int, str]]:
    """Yield size in bytes and path of every file below a location. Raises IdrError if it cannot be listed.

    A path that contains line ends is cut at the first.
    """
    command = [
        _program(),
        "lsf",
        "--recursive",
        "--files-only",
        "--format",
        "sp",
        "--separator",
        "\t",
        *flags,
        location,
    ]
    # Errors go to a file: with a pipe that nobody reads rclone would block.
    with (
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors) as process,
    ):
        for line in process.stdout or ():
            size, _, path = os.fsdecode(line.rstrip(b"\n")).partition("\t")
            if size.isdecimal():
                yield int(size), path
        if process.wait():
            errors.seek(0)
            msg = f"rclone lsf {location}: {_with_advice(_last_line(errors))}"
            raise IdrError(msg)


def _with_advice(message: str) -> str:
    return f"{message}: describe it with `rclone config`" if message.endswith(_NOT_CONFIGURED) else message


def _program() -> str:
    program = shutil.which("rclone")
    if not program:
        msg = "rclone is not installed; install it (Debian: apt-get install rclone), then run this again"
        raise IdrError(msg)
    return program


def _entry(raw: bytes) -> Mapping[str, Any]:
    """Parse a line of rclone's log. Errors at its start and usage are plain text."""
    line = raw.decode(errors="replace")
    try:
        entry = json.loads(line)
    except ValueError:
        entry = {"level": "error", "msg": _PREFIX.sub("", line)} if line.strip() else {}
    return entry if isinstance(entry, dict) else {}


def _message(entry: Mapping[str, Any]) -> str:
    name = f"{entry['object']}: " if entry.get("object") else ""
    return name + str(entry.get("msg", "")).strip()


def _last_line(stream: IO[bytes]) -> str:
    last = next(iter(deque((line for line in stream if line.strip()), maxlen=1)), b"it gave no reason")
    return _PREFIX.sub("", last.decode(errors="replace")).strip()
