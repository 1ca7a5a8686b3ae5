"""Compares OMERO's database with its files, and prints what differs and what each study takes, as lines of JSON."""

import argparse
import os
import sys
import time
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from .comparing import compare, unused, without_memo
from .database import Database, DatabaseError
from .report import Report
from .tree import Entry, Sorted, real, walk

COMPARED = (b"Files", b"ManagedRepository")
"""The folders of OMERO's data folder whose files the database names one by one."""
LAST = ".idr-storage-report.json"
CLOCKS_SECONDS = 60
"""How far the clocks of this machine and of a share may be apart."""


def main() -> int:
    """Write the report; the exit status is 1 where that fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", required=True, help="connection string of libpq")
    parser.add_argument("--data", type=Path, required=True, help="OMERO's data folder")
    parser.add_argument("--cache", type=Path, required=True, help="the folder of memo files")
    parser.add_argument("--share", type=Path, action="append", default=[], help="a mount whose files are looked at")
    parser.add_argument("--bucket", type=Path, action="append", default=[], help="a mount whose files are not")
    given = parser.parse_args()
    try:
        for mount in (*given.share, *given.bucket):
            _refuse_unless_mounted(mount)
        scan(Database(given.database), given.data, given.cache, given.share, Report(sys.stdout))
    except (DatabaseError, OSError) as error:
        print(f"no report: {error}", file=sys.stderr)
        return 1
    return 0


def _refuse_unless_mounted(mount: Path) -> None:
    # Every link that leads there would be broken, and nothing is wrong with any of them.
    if not mount.is_mount():
        msg = f"{mount} is not mounted"
        raise OSError(msg)


def scan(database: Database, data: Path, cache: Path, shares: list[Path], report: Report) -> None:
    """Compare, and report. Raises DatabaseError and OSError."""
    top = os.fsencode(data)
    repository, named_folder = database.repository()
    targets = Sorted()
    since = time.time() - CLOCKS_SECONDS
    named = report.count(database.files(repository))
    for fault in compare(top, named, _noting_targets(walk(top, COMPARED), targets), since):
        report.fault(fault)
    for fault in unused(targets.paths(), _seen(_on(shares), report)):
        report.fault(fault)
    for fault in without_memo(os.fsencode(cache), named_folder, database.memos(repository)):
        report.fault(fault)
    report.finish(data / LAST)


def _noting_targets(entries: Iterator[Entry], targets: Sorted) -> Iterator[Entry]:
    for one in entries:
        if one.target:
            targets.add(one.target)
        yield one


def _seen(entries: Iterator[Entry], report: Report) -> Iterator[Entry]:
    for one in entries:
        report.progress()
        yield one


def _on(shares: list[Path]) -> Iterator[Entry]:
    """Yield what is on the shares, in order; a share below another one comes with it."""
    folders = sorted({real(os.fsencode(share)) + b"/" for share in shares})
    outer = [one for one in folders if not any(one != other and one.startswith(other) for other in folders)]
    return chain.from_iterable(walk(folder[:-1]) for folder in outer)


if __name__ == "__main__":
    sys.exit(main())
