"""What the node's scan says, and what each study takes and has grown by since the report before."""

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
    """What each study takes, when the report began, and what is wrong by kind. Studies have their IDR name."""

    taken: str
    studies: dict[str, Sum]
    faults: dict[str, Sum]


class Report(Sums):
    """The end of a scan."""

    seconds: float
    memory_mib: int
    before: Sums | None = Field(description="The report before this one; None for the first")


class Fault(View):
    """A path, and what is wrong with it."""

    kind: str
    path: str
    bytes: int
    study: str


class Line(View):
    """A line that a scan prints: how far it is, a fault, or the report at the end."""

    looked_at: int | None = None
    report: Report | None = None
    kind: str | None = None


@dataclass(frozen=True)
class Study:
    """What a study takes, and by how much it has grown; `grown` is None in the first report."""

    name: str
    files: int
    bytes: int
    grown: int | None


def studies(report: Report) -> Iterator[Study]:
    """Yield every study, the largest first; also those that are gone, as empty."""
    before: Mapping[str, Sum] = report.before.studies if report.before else {}
    nothing = Sum(files=0, bytes=0)
    now = dict.fromkeys(before, nothing) | report.studies
    for name, size in sorted(now.items(), key=lambda one: (-one[1].bytes, one[0])):
        grown = size.bytes - before.get(name, nothing).bytes if report.before else None
        yield Study(name, size.files, size.bytes, grown)


def harmful(report: Report) -> int:
    """How many files cannot be shown."""
    return sum(size.files for kind, size in report.faults.items() if kind in HARMFUL)
