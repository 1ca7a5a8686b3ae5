"""The objects of a region of the fake cloud, by kind and id."""

import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

Thing = dict[str, Any]
PACE_SECONDS = 0.2
"""How long the cloud works on a request that it has accepted: a server, a volume, an attachment, a deletion."""


def new_id(*, dashes: bool = False) -> str:
    """Return a new id."""
    return str(uuid.uuid4()) if dashes else uuid.uuid4().hex


class Store:
    """Objects by kind."""

    def __init__(self) -> None:
        self._kinds: dict[str, dict[str, Thing]] = {}
        self._later: list[tuple[float, Callable[[], object]]] = []

    def later(self, act: Callable[[], object]) -> None:
        """Run `act` when the cloud has completed a request; the answer comes earlier."""
        self._later.append((time.monotonic() + PACE_SECONDS, act))

    def settle(self) -> None:
        """Run what is due."""
        now = time.monotonic()
        due = [act for when, act in self._later if when <= now]
        self._later = [one for one in self._later if one[0] > now]
        for act in due:
            act()

    def replace(self, kinds: dict[str, dict[str, Thing]]) -> None:
        """Replace all objects."""
        self._kinds, self._later = kinds, []

    def add(self, kind: str, **values: Any) -> Thing:
        """Add an object; it gets an id unless it has one."""
        thing: Thing = {"id": new_id(dashes=True), **values}
        self._kinds.setdefault(kind, {})[thing["id"]] = thing
        return thing

    def all(self, kind: str, **wanted: Any) -> list[Thing]:
        """Return the objects of a kind that have these values, in the order of their creation."""
        return [thing for thing in self._of(kind) if all(thing.get(name) == value for name, value in wanted.items())]

    def get(self, kind: str, key: str) -> Thing | None:
        """Return the object with that id."""
        return self._kinds.get(kind, {}).get(key)

    def remove(self, kind: str, key: str) -> Thing | None:
        """Remove the object with that id."""
        return self._kinds.get(kind, {}).pop(key, None)

    def _of(self, kind: str) -> Iterator[Thing]:
        yield from list(self._kinds.get(kind, {}).values())


def matches(thing: Thing, query: dict[str, str]) -> bool:
    """Return whether an object matches the query of a list: every field that the query names has that value."""
    return all(_is(thing[name], value) for name, value in query.items() if name in thing)


def _is(value: Any, asked: str) -> bool:
    # Clients write booleans in lower case or with a capital.
    return str(value).lower() == asked.lower() if isinstance(value, bool) else str(value) == asked
