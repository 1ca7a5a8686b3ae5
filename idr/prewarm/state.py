"""The progress of a run, in a small file: the first object that is not done, and those done after it."""

import json
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from .catalogue import START, Position

WINDOW = 1024
"""How many objects the fastest request may be ahead of the slowest. Limits the sizes of file and memory."""


class StateError(Exception):
    """The state file cannot be used."""


@dataclass
class State:
    """The content of the file: everything before `place` is done, and the positions in `ahead`."""

    target: str
    place: Position = START
    ahead: list[Position] = field(default_factory=list)
    done: dict[str, int] = field(default_factory=dict)
    failed: int = 0
    complete: bool = False


def load(path: Path, target: str) -> State:
    """Read the state of the previous run, or create one. Raises StateError if it is unreadable or of another target."""
    try:
        state = State(**json.loads(path.read_text()))
    except FileNotFoundError:
        return State(target)
    except (OSError, ValueError, TypeError) as error:
        msg = f"{path}: no state of a pre-warm ({error}); delete it or use --fresh"
        raise StateError(msg) from None
    if state.target != target:
        msg = f"{path} is of {state.target}, not {target}; name another file with --state or use --fresh"
        raise StateError(msg)
    state.place, state.ahead = _position(state.place), [_position(position) for position in state.ahead]
    return state


def save(path: Path, state: State) -> None:
    """Replace the file atomically: a killed run leaves either the old or the new state."""
    new = path.with_name(f"{path.name}.new")
    new.write_text(json.dumps(asdict(state)))
    new.replace(path)


def _position(numbers: Sequence[int]) -> Position:
    section, outer, first, index = numbers
    return section, outer, first, index


class Ledger:
    """Tracks which objects of a run are done, starting from a state."""

    def __init__(self, state: State) -> None:
        self._position = state.place
        self._passed: set[Position] = set()
        self._before = set(state.ahead)
        self._taken: deque[Position] = deque()
        self._done: set[Position] = set()

    def take(self, position: Position) -> bool:
        """Add the next object. Return False if the previous run has done it."""
        self._taken.append(position)
        if position in self._before:
            self._before.discard(position)
            self.finish(position)
            return False
        return True

    def finish(self, position: Position) -> None:
        """Mark an object as done."""
        self._done.add(position)
        while self._taken and self._taken[0] in self._done:
            self._position = self._taken.popleft()
            self._done.discard(self._position)
            self._passed = {self._position}

    @property
    def spread(self) -> int:
        """The number of objects from the first that is not done to the last one added."""
        return len(self._taken)

    def progress(self) -> tuple[Position, list[Position]]:
        """Return the position before which everything is done, and the positions done after it."""
        if self._taken:
            return self._taken[0], sorted(self._done | self._before)
        return self._position, sorted(self._passed | self._before)
