"""The number of requests at once."""

from hypothesis import given
from hypothesis import strategies as st

from idr.prewarm.pace import Pace


def answers(pace: Pace, count: int, seconds: float, kind: str = "thumbnail") -> None:
    for _ in range(count):
        pace.note(kind, seconds, overloaded=False)


def test_more_while_answers_come_as_fast_as_before() -> None:
    pace = Pace(64)
    answers(pace, 2000, 0.05)
    assert pace.limit == 64


def test_fewer_when_answers_slow_down() -> None:
    pace = Pace(64)
    answers(pace, 2000, 0.05)
    answers(pace, 512, 0.5)
    assert pace.limit < 40


def test_fewer_when_the_service_says_that_it_is_overloaded() -> None:
    pace = Pace(64)
    answers(pace, 2000, 0.05)
    pace.note("thumbnail", 0.05, overloaded=True)
    answers(pace, 200, 0.05)
    assert pace.limit < 64


def test_a_fast_beginning_from_a_cache_does_not_hold_the_rest_down() -> None:
    pace = Pace(16)
    answers(pace, 500, 0.001)
    answers(pace, 3000, 0.2)
    assert pace.limit == 16


def test_a_slow_kind_of_page_is_not_compared_with_a_fast_one() -> None:
    pace = Pace(16)
    answers(pace, 500, 0.02, "thumbnail")
    answers(pace, 500, 0.4, "metadata")
    assert pace.limit == 16


def test_eight_workers_are_kept_busy_without_a_long_queue() -> None:
    pace = Pace(256)
    limits = []
    for _ in range(3000):
        pace.note("thumbnail", 0.05 * max(1.0, pace.limit / 8), overloaded=False)
        limits.append(pace.limit)
    steady = limits[1000:]
    assert min(steady) >= 8
    assert max(steady) <= 32


@given(st.lists(st.tuples(st.floats(0, 100), st.booleans()), max_size=300), st.integers(1, 100))
def test_always_at_least_one_and_never_more_than_allowed(notes: list[tuple[float, bool]], most: int) -> None:
    pace = Pace(most)
    for seconds, overloaded in notes:
        pace.note("thumbnail", seconds, overloaded=overloaded)
        assert 1 <= pace.limit <= most
