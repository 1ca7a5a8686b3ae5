"""The progress of a run, from which the next one continues."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idr.prewarm.catalogue import Position
from idr.prewarm.state import Ledger, State, StateError, load, save

POSITIONS: list[Position] = [(2, outer, first, index) for outer in range(3) for first in (0, 96) for index in range(5)]


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 9)), max_size=80), st.data())
def test_the_next_run_takes_exactly_what_was_not_done(moves: list[tuple[bool, int]], data: st.DataObject) -> None:
    ledger, under_way, done, ahead = Ledger(State("x", POSITIONS[0])), [], set(), list(POSITIONS)
    for take, which in moves:
        if take and ahead:
            position = ahead.pop(0)
            assert ledger.take(position)
            under_way.append(position)
        elif under_way:
            position = under_way.pop(which % len(under_way))
            ledger.finish(position)
            done.add(position)
    start, beyond = ledger.progress()
    second = Ledger(State("x", start, beyond))
    rest = [position for position in POSITIONS if position >= start]
    stop = data.draw(st.integers(0, len(rest)))
    taken = [position for position in rest[:stop] if second.take(position)]
    assert taken == [position for position in rest[:stop] if position not in done]

    start, beyond = second.progress()
    third = Ledger(State("x", start, beyond))
    assert [position for position in POSITIONS if position >= start and third.take(position)] == [
        position for position in POSITIONS if position not in done
    ]


def test_a_state_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    state = State("https://proxy", (2, 7, 96, 12), [(2, 7, 96, 14)], {"image": 3}, 1, True)
    save(tmp_path / "state", state)
    assert load(tmp_path / "state", "https://proxy") == state


def test_no_file_is_the_beginning(tmp_path: Path) -> None:
    assert load(tmp_path / "state", "https://proxy") == State("https://proxy")


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"target": "https://proxy", "colour": "blue"}'])
def test_a_file_that_is_no_state_is_named(tmp_path: Path, text: str) -> None:
    file = tmp_path / "state"
    file.write_text(text)
    with pytest.raises(StateError, match=f"{file}.*--fresh"):
        load(file, "https://proxy")


def test_the_state_of_another_release_is_refused(tmp_path: Path) -> None:
    save(tmp_path / "state", State("https://prod130"))
    with pytest.raises(StateError, match="prod130, not https://prod131"):
        load(tmp_path / "state", "https://prod131")
