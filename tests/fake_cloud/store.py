"""What a region of the fake cloud holds: objects by kind and id, with the fields of each new object."""

import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

Thing = dict[str, Any]
PACE_SECONDS = 0.2
"""How long the cloud works on what it has accepted: a server, a volume, an attachment, and the end of each."""


def new_id(*, dashes: bool = False) -> str:
    """An id that nothing else has."""
    return str(uuid.uuid4()) if dashes else uuid.uuid4().hex


class Store:
    """Objects by kind."""

    def __init__(self) -> None:
        self._kinds: dict[str, dict[str, Thing]] = {}
        self._later: list[tuple[float, Callable[[], object]]] = []

    def later(self, act: Callable[[], object]) -> None:
        """Do something when the cloud has worked on it; the answer to a request comes before."""
        self._later.append((time.monotonic() + PACE_SECONDS, act))

    def settle(self) -> None:
        """Do what is due."""
        now = time.monotonic()
        due = [act for when, act in self._later if when <= now]
        self._later = [one for one in self._later if one[0] > now]
        for act in due:
            act()

    def replace(self, kinds: dict[str, dict[str, Thing]]) -> None:
        """Hold something else."""
        self._kinds, self._later = kinds, []

    def add(self, kind: str, **values: Any) -> Thing:
        """Keep a new object; it gets an id where it has none."""
        thing: Thing = {"id": new_id(dashes=True), **values}
        self._kinds.setdefault(kind, {})[thing["id"]] = thing
        return thing

    def all(self, kind: str, **wanted: Any) -> list[Thing]:
        """The objects of a kind that have these values, in the order in which they were created."""
        return [thing for thing in self._of(kind) if all(thing.get(name) == value for name, value in wanted.items())]

    def get(self, kind: str, key: str) -> Thing | None:
        """The object with that id."""
        return self._kinds.get(kind, {}).get(key)

    def remove(self, kind: str, key: str) -> Thing | None:
        """Forget the object with that id."""
        return self._kinds.get(kind, {}).pop(key, None)

    def _of(self, kind: str) -> Iterator[Thing]:
        yield from list(self._kinds.get(kind, {}).values())


def matches(thing: Thing, query: dict[str, str]) -> bool:
    """Whether an object fits a list's query: every field of it that the query names has that value."""
    return all(_is(thing[name], value) for name, value in query.items() if name in thing)


def _is(value: Any, asked: str) -> bool:
    # Clients write booleans with and without a capital.
    return str(value).lower() == asked.lower() if isinstance(value, bool) else str(value) == asked
