"""The order of rows, and which row starts next. Pure."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from .rows import Row


@dataclass(frozen=True)
class Sized:
    """A row with the bytes below its path, and the mount that it is on."""

    row: Row
    size: int
    mount: str


@dataclass(frozen=True)
class Limits:
    """How many rows are imported at once, and of these how many of one mount."""

    parallel: int
    per_mount: int


def ordered(rows: Iterable[Row], sizes: Mapping[str, tuple[int, str]], failed: Collection[str] = ()) -> list[Sized]:
    """Sort the largest rows first: a large row that starts last would run alone. Rows that `failed` are last."""
    sized = (Sized(row, *sizes[row.path]) for row in rows)
    return sorted(sized, key=lambda one: (one.row.path in failed, -one.size, one.row.path))


def following(
    waiting: Sequence[Sized], running: Collection[Sized], limits: Limits, existing: Collection[str]
) -> Sized | None:
    """Return the next row that may start, if any.

    `existing` are targets known to exist. Rows of any other target are imported one after another: OMERO's importer
    creates a target that it does not find by name, and two importers at once would create two. The same holds for a
    folder and a path in it: an importer skips what OMERO has, and imports the rest.
    """
    if len(running) >= limits.parallel:
        return None
    mounts = Counter(one.mount for one in running)
    created = {name for one in running for name in one.row.new_objects()} - set(existing)
    for one in waiting:
        is_alone = not created.intersection(one.row.new_objects()) and not _overlaps(one, running)
        if mounts[one.mount] < limits.per_mount and is_alone:
            return one
    return None


def _overlaps(one: Sized, running: Collection[Sized]) -> bool:
    path = f"{one.row.path}/"
    return any(path.startswith(other) or other.startswith(path) for other in (f"{run.row.path}/" for run in running))
