"""What follows an import, step by step. Pure.

New images get their rendering settings, which makes their thumbnails too. Without settings each is opened once: that
makes its memo file and thumbnail where the importer has not, and shows that it can be read. Containers get their
annotations when every row is imported: these are made for all of a container at once.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from .beside import ANNOTATION, KEYS, RENDERING

RENDER, OPEN, ANNOTATE = "rendering settings", "opened", "annotations"
IMAGE = "Image:"
TOGETHER = 50
"""Images that one process opens: its start takes as long as opening some. A step has no more, so that what is cut off
has few images to open again."""
AT_ONCE = 1000
"""Objects in one command line that gives settings."""


@dataclass(frozen=True)
class Made:
    """What a fileset has become: plates, or images of none; the datasets and the outermost containers they are in."""

    objects: tuple[str, ...] = ()
    containers: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()


@dataclass(frozen=True)
class Step:
    """One thing to do, once for each `version` of what it is made of. `of` is the path of a row, or a container.

    `within`: what shows the objects, and has changed with them.
    """

    kind: str
    of: str
    objects: tuple[str, ...]
    version: str
    within: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """What the ledger calls it."""
        return f"{self.kind} {self.version} {self.of}"

    @property
    def of_images(self) -> bool:
        """Whether it is of images alone; a plate is one object, and has hundreds."""
        return all(one.startswith(IMAGE) for one in self.objects)


def steps(
    done: Mapping[str, Sequence[int]],
    new: Mapping[str, Collection[int]],
    made: Mapping[int, Made],
    digests: Mapping[str, str],
    *,
    whole: bool,
) -> Iterator[Step]:
    """The steps for rows that are `done`, with their filesets. `whole`: every row is.

    `new`: the rows that this import made, each with the filesets that were there before.
    """
    kind = RENDER if RENDERING in digests else OPEN
    for path, filesets in done.items():
        parts = [made.get(fileset, Made()) for fileset in filesets if path in new and fileset not in new[path]]
        within = _each(one for part in parts for one in (*part.containers, *part.datasets))
        for objects in _pieces(kind, _each(one for part in parts for one in part.objects)):
            yield Step(kind, path, objects, _version(digests.get(RENDERING, ""), *objects), within)
    if whole and ANNOTATION in digests:
        members: dict[str, list[str]] = {}
        for fileset in sorted(fileset for filesets in done.values() for fileset in filesets):
            for container in made.get(fileset, Made()).containers:
                members.setdefault(container, []).append(str(fileset))
        for container, filled in sorted(members.items()):
            version = _version(digests[ANNOTATION], digests.get(KEYS, ""), *filled)
            yield Step(ANNOTATE, container, (container,), version)


def together(steps: Iterable[Step]) -> Iterator[list[Step]]:
    """Yield the steps in groups, each for one process."""
    group: list[Step] = []
    for step in steps:
        size = sum(len(one.objects) for one in (*group, step))
        if group and not (step.of_images and group[-1].of_images and size <= TOGETHER):
            yield group
            group = []
        group.append(step)
    if group:
        yield group


def _pieces(kind: str, objects: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Yield the objects of a row in parts, each for a step. A plate has hundreds of images: it is opened alone."""
    plates = [one for one in objects if kind == OPEN and not one.startswith(IMAGE)]
    yield from ((plate,) for plate in plates)
    rest = [one for one in objects if one not in plates]
    size = TOGETHER if kind == OPEN else AT_ONCE
    yield from (tuple(rest[first : first + size]) for first in range(0, len(rest), size))


def _each(some: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(some))


def _version(*parts: str) -> str:
    return sha256("\n".join(parts).encode()).hexdigest()[:16]
