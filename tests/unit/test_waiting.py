"""Waits of tests: they end when their condition is true, or with its state."""

from itertools import count

import pytest

from tests.waiting import wait_until


def test_a_condition_is_asked_until_it_is_true() -> None:
    numbers = count()
    wait_until(lambda: next(numbers) == 3, 10, pause=0)
    assert next(numbers) == 4


def test_a_condition_that_stays_false_is_a_failure_with_its_state() -> None:
    with pytest.raises(AssertionError, match=r"^not within 0\.01 s: still away$"):
        wait_until(lambda: False, 0.01, pause=0.01, state=lambda: "still away")
