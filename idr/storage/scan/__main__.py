"""Compare OMERO's database with its files; print the differences and the size of each study as JSON lines."""

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
"""The folders in OMERO's data folder whose files are all in the database."""
LAST = ".idr-storage-report.json"
CLOCKS_SECONDS = 60
"""The largest difference between the clocks of this node and of a share."""


def main() -> int:
    """Write the report. The exit status is 1 if that fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", required=True, help="connection string of libpq")
    parser.add_argument("--data", type=Path, required=True, help="OMERO's data folder")
    parser.add_argument("--cache", type=Path, required=True, help="the folder of memo files")
    parser.add_argument("--share", type=Path, action="append", default=[], help="a mount whose files are checked")
    parser.add_argument("--bucket", type=Path, action="append", default=[], help="a mount whose files are not checked")
    arguments = parser.parse_args()
    try:
        for mount in (*arguments.share, *arguments.bucket):
            _refuse_unless_mounted(mount)
        scan(Database(arguments.database), arguments.data, arguments.cache, arguments.share, Report(sys.stdout))
    except (DatabaseError, OSError) as error:
        print(f"no report: {error}", file=sys.stderr)
        return 1
    return 0


def _refuse_unless_mounted(mount: Path) -> None:
    # Otherwise every link to this mount would be reported as broken.
    if not mount.is_mount():
        msg = f"{mount} is not mounted"
        raise OSError(msg)


def scan(database: Database, data: Path, cache: Path, shares: list[Path], report: Report) -> None:
    """Compare database and files, and write the report. Raises DatabaseError and OSError."""
    top = os.fsencode(data)
    repository, named_folder = database.repository()
    targets = Sorted()
    since = time.time() - CLOCKS_SECONDS
    named = report.count(database.files(repository))
    for fault in compare(top, named, _with_targets(walk(top, COMPARED), targets), since):
        report.fault(fault)
    for fault in unused(targets.paths(), _counted(_files_on(shares), report)):
        report.fault(fault)
    for fault in without_memo(os.fsencode(cache), named_folder, database.memos(repository)):
        report.fault(fault)
    report.finish(data / LAST)


def _with_targets(entries: Iterator[Entry], targets: Sorted) -> Iterator[Entry]:
    for one in entries:
        if one.target:
            targets.add(one.target)
        yield one


def _counted(entries: Iterator[Entry], report: Report) -> Iterator[Entry]:
    for one in entries:
        report.progress()
        yield one


def _files_on(shares: list[Path]) -> Iterator[Entry]:
    """Yield the files of the shares in order. A share below another one is read with that one."""
    folders = sorted({real(os.fsencode(share)) + b"/" for share in shares})
    outer = [one for one in folders if not any(one != other and one.startswith(other) for other in folders)]
    return chain.from_iterable(walk(folder[:-1]) for folder in outer)


if __name__ == "__main__":
    sys.exit(main())
