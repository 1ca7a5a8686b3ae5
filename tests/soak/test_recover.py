"""A lock that says nothing; `make test` has the others."""

import pytest

from tests.engine.test_recover import Place, is_asked_about, place, stack

__all__ = ["place", "stack"]

pytestmark = pytest.mark.engine


def test_the_empty_lock_of_a_full_disk_is_asked_about(place: Place) -> None:
    is_asked_about(place, "", "an update that could not write down who it is")
