"""The results of interruptions and their table. A line of JSON each lets a sweep continue where it stopped."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path

HEAD = """# Interruptions

`python -m tests.interruptions` writes this page: do not edit it. It continues where its last run ended
(`points.jsonl` in `tests/interruptions`). `make soak` repeats all points. The tests use the real engine, the real
plugins, and the stack `local` (five nodes, not configured) on the fake cloud of `tests/fake_cloud`, which accepts and
refuses requests as OpenStack does.

An event is a request that changes the cloud. Events are numbered in the order of arrival. A process is killed either
just before the cloud carries out the request, or just after that and before the response. After each interruption,
the test runs `bin/idr recover` (if the command failed) and `pulumi up`. A point ended well if both succeeded, the
project contains exactly the objects in the state, no object exists twice, and no volume is missing.
"""


@dataclass(frozen=True)
class Point:
    """An interruption and its end. `of` counts the events of the command; it is 0 for one chosen by its name."""

    command: str
    what: str
    request: str
    number: int
    of: int
    is_good: bool
    faults: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, str, int, str]:
        """Return what identifies the point."""
        return self.command, self.what, self.number, "" if self.of else self.request


def read(file: Path) -> list[Point]:
    """Read the points of earlier sweeps."""
    lines = file.read_text().splitlines() if file.exists() else []
    return [Point(**{**json.loads(line), "faults": tuple(json.loads(line)["faults"])}) for line in lines]


def add(file: Path, point: Point) -> None:
    """Write a point to the file."""
    with file.open("a") as out:
        out.write(json.dumps(asdict(point)) + "\n")


def page(points: Iterable[Point]) -> str:
    """Return the page of docs with every point. A point that was tried twice has its last result."""
    last = {point.key: point for point in points}
    return "\n".join([HEAD, *_tables(sorted(last.values(), key=lambda one: (one.of == 0, one.command, one.what)))])


def _tables(points: list[Point]) -> Iterator[str]:
    for (by_name, command), group in groupby(points, key=lambda one: (one.of == 0, one.command)):
        group_events = list(group)
        events = max(one.of for one in group_events)
        good = sum(one.is_good for one in group_events)
        where = "" if by_name else f", at {_count(group_events)} of {events} events"
        yield f"## {command.capitalize()}{', requests chosen by name' if by_name else ''}\n"
        yield f"Points: {len(group_events)}{where}. Ended well: {good}.\n"
        yield f"| what | request | {'which of these' if by_name else 'events'} | ended well |"
        yield "|---|---|---|---|"
        for (what, request), same in groupby(
            sorted(group_events, key=lambda one: (one.what, one.request)), key=lambda one: (one.what, one.request)
        ):
            yield _row(what, request, list(same))
        yield ""


def _count(points: list[Point]) -> int:
    return len({point.number for point in points})


def _row(what: str, request: str, points: list[Point]) -> str:
    numbers = ", ".join(str(one.number) for one in sorted(points, key=lambda one: one.number))
    wrong = sorted({fault for one in points if not one.is_good for fault in one.faults or ("failed",)})
    good = sum(one.is_good for one in points)
    verdict = f"{good} of {len(points)}: {'; '.join(wrong)}" if wrong else "yes"
    return f"| {what} | `{request}` | {numbers} | {verdict} |"
