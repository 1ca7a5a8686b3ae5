"""`python -m tests.interruptions`: interrupt, keep every point, and write docs/interruptions.md.

All points take hours, so a sweep continues where the last one ended: it leaves out the points in its results file.
To repeat them, name another file.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

from harness.stacks import ROOT
from tests.interruptions import record, sweep
from tests.interruptions.processes import Victim
from tests.interruptions.stage import Ending, Operation

PAGE = ROOT / "docs" / "interruptions.md"
KEPT = ROOT / "tests" / "interruptions" / "points.jsonl"


def main() -> None:
    """Run the sweep of the command line, without points that the file has."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path, nargs="?", default=KEPT, help="the file of results")
    parser.add_argument("--operation", choices=[one.name for one in Operation], action="append")
    parser.add_argument("--victim", choices=[one.name for one in Victim], action="append")
    parser.add_argument("--every", action="store_true", help="every event; else one of each kind of request")
    parser.add_argument("--answers", action="store_true", help="disturb answers instead of killing processes")
    given = parser.parse_args()
    choose = sweep.every if given.every else sweep.one_of_each
    for point, ended in sweep.disturb(given.results) if given.answers else _killed(given, choose):
        print(point, "" if ended.is_good else ended.output, flush=True)
        PAGE.write_text(record.page(record.read(given.results)))


def _killed(given: argparse.Namespace, choose: sweep.Choose) -> Iterator[tuple[record.Point, Ending]]:
    for victim in given.victim or [one.name for one in Victim]:
        for operation in given.operation or [one.name for one in Operation]:
            yield from sweep.kill(Operation[operation], Victim[victim], choose, given.results)


if __name__ == "__main__":
    main()
