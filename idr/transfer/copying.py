"""Copy a tree, and compare every file with its source. Memory does not grow with the number of files."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TextIO

from idr import cli
from idr.errors import IdrError
from idr.transfer import rclone
from idr.transfer.bar import Bar

LISTS = {"missing": "--missing-on-dst", "different": "--differ", "unreadable": "--error"}
"""Kinds of bad files, and the flag of `rclone check` that writes a list of them."""
SHOWN = 10
"""How many bad files the report names."""


@dataclass(frozen=True)
class Report:
    """The result of a transfer: counts of copied, missing, different and unreadable files.

    `first` has the first bad files, as pairs of kind and path; `why` is the last error of the copy. `without_sum` files
    were compared by size only. `links` were skipped.
    """

    copied: int
    copied_bytes: int
    seconds: float
    missing: int
    different: int
    unreadable: int
    without_sum: int
    links: int
    why: str
    first: tuple[tuple[str, str], ...] = ()

    @property
    def bad(self) -> int:
        """The number of files whose copy is missing, different or unreadable."""
        return self.missing + self.different + self.unreadable


def transfer(source: str, destination: str, flags: tuple[str, ...], *, sizes_only: bool, report: Path | None) -> Report:
    """Copy the files that the destination lacks, compare all, and write the bad files to `report`.

    Raises IdrError if rclone cannot start or compare, or the source has no files.
    """
    with cli.opened(report) as out, tempfile.TemporaryDirectory() as folder:
        with Bar("copying") as bar:
            copy = rclone.run("copy", source, destination, *flags, watch=bar.show)
        lists = {what: Path(folder) / what for what in LISTS}
        compared = _compare(source, destination, flags, lists, sizes_only=sizes_only)
        counts = {what: _write(what, file, out) for what, file in lists.items()}
        first = tuple(islice(((what, path) for what, file in lists.items() for path in _lines(file)), SHOWN))
    done = Report(
        copied=copy.progress.files_done,
        copied_bytes=copy.progress.bytes_done,
        seconds=copy.progress.seconds,
        **counts,
        without_sum=compared.without_sum,
        links=copy.links,
        why=copy.message,
        first=tuple((what, path.encode(errors="replace").decode()) for what, path in first),
    )
    if not (compared.progress.checks or done.bad or done.links):
        msg = f"{source} has no files: is it mounted?"
        raise IdrError(msg)
    return done


def _compare(
    source: str, destination: str, flags: tuple[str, ...], lists: dict[str, Path], *, sizes_only: bool
) -> rclone.Result:
    """Compare source and destination, and write the lists. Raises IdrError if that fails."""
    how = ("--size-only",) if sizes_only else ()
    list_flags = [part for what, file in lists.items() for part in (LISTS[what], str(file))]
    with Bar("comparing") as bar:
        result = rclone.run("check", source, destination, "--one-way", *how, *flags, *list_flags, watch=bar.show)
    if result.status and not any(file.exists() and file.stat().st_size for file in lists.values()):
        msg = f"rclone check {source} {destination}: {result.message}"
        raise IdrError(msg)
    return result


def _lines(file: Path) -> Iterator[str]:
    with file.open(errors="surrogateescape", newline="\n") as lines:
        yield from (line.rstrip("\n") for line in lines)


def _write(what: str, file: Path, out: TextIO | None) -> int:
    """Count the files of a list, and write them to `out` if given."""
    count = 0
    for path in _lines(file):
        count += 1
        if out:
            out.write(f"{what}\t{path}\n")
    return count
