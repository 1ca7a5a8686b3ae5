"""Interrupts every command at every event, and disturbs answers of every service; hours. It writes the page of docs."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.interruptions import record, sweep
from tests.interruptions.__main__ import PAGE
from tests.interruptions.processes import Victim
from tests.interruptions.record import Point
from tests.interruptions.stage import Ending, Operation

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file for the points of this run."""
    return tmp_path_factory.mktemp("interruptions") / "points"


@pytest.mark.parametrize("operation", Operation)
@pytest.mark.parametrize("victim", Victim)
def test_a_killed_process_is_put_right_at_every_event(results: Path, victim: Victim, operation: Operation) -> None:
    assert wrong(sweep.kill(operation, victim, sweep.every, results), results) == []


def test_a_disturbed_answer_is_put_right(results: Path) -> None:
    assert wrong(sweep.disturb(results), results) == []


def wrong(points: Iterable[tuple[Point, Ending]], results: Path) -> list[str]:
    """Return the points that ended badly; the page has all points."""
    endings = [f"{point}\n{ended.output}" for point, ended in points if not ended.is_good]
    PAGE.write_text(record.page(record.read(results)))
    return endings
