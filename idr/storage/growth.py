"""The lines of the node's scan, and the growth of each study since the previous report."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pydantic import Field

from model.outputs.view import View

HARMFUL = {
    "missing": "named by the database and not there",
    "broken": "links that lead nowhere",
    "unreadable": "not readable for OMERO.server",
    "different": "of another size than the database says",
}
"""Faults for which images cannot be shown."""
HARMLESS = {
    "unknown": "in OMERO's data folder, not named by the database",
    "unused": "on the mounts, with no link of OMERO to them",
    "no-memo": "memo files that are missing: their images open slowly the first time",
}
KINDS = HARMFUL | HARMLESS


class Sum(View):
    """A number of files and their bytes."""

    files: int
    bytes: int


class Sums(View):
    """Sums by study and by kind of fault, and the start time of the report. Studies have their IDR name."""

    taken: str
    studies: dict[str, Sum]
    faults: dict[str, Sum]


class Report(Sums):
    """The end of a scan."""

    seconds: float
    memory_mib: int
    before: Sums | None = Field(description="The previous report; None for the first")


class Fault(View):
    """A path and its fault."""

    kind: str
    path: str
    bytes: int
    study: str


class Line(View):
    """A line of a scan: its progress, a fault, or the report at the end."""

    looked_at: int | None = None
    report: Report | None = None
    kind: str | None = None


@dataclass(frozen=True)
class Study:
    """A study with its size and growth; `grown` is None in the first report."""

    name: str
    files: int
    bytes: int
    grown: int | None


def studies(report: Report) -> Iterator[Study]:
    """Yield every study, the largest first; deleted ones with size 0."""
    before: Mapping[str, Sum] = report.before.studies if report.before else {}
    nothing = Sum(files=0, bytes=0)
    now = dict.fromkeys(before, nothing) | report.studies
    for name, size in sorted(now.items(), key=lambda one: (-one[1].bytes, one[0])):
        grown = size.bytes - before.get(name, nothing).bytes if report.before else None
        yield Study(name, size.files, size.bytes, grown)


def harmful(report: Report) -> int:
    """Return the number of files whose images cannot be shown."""
    return sum(size.files for kind, size in report.faults.items() if kind in HARMFUL)
