"""The steps that follow an import. Pure.

New images get their rendering settings, which also creates their thumbnails. Without settings each image is opened
once: that creates its memo file and thumbnail where the importer has not, and shows that it can be read. Containers get
their annotations after every row is imported, because OMERO annotates a whole container at once.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from .beside import ANNOTATION, KEYS, RENDERING

RENDER, OPEN, ANNOTATE = "rendering settings", "opened", "annotations"
IMAGE = "Image:"
IMAGES_PER_PROCESS = 50
"""How many images one process opens. Starting it takes as long as opening some images. No step has more images, so that
few are opened again after an interruption."""
OBJECTS_PER_COMMAND = 1000
"""How many objects one command line gives rendering settings."""


@dataclass(frozen=True)
class FilesetContents:
    """The objects of a fileset (plates, or images outside plates), their outermost containers and their datasets."""

    objects: tuple[str, ...] = ()
    containers: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()


@dataclass(frozen=True)
class Step:
    """One step, done once for each `version` of its input. `of` is the path of a row, or a container.

    `within` lists the containers and datasets of the objects.
    """

    kind: str
    of: str
    objects: tuple[str, ...]
    version: str
    within: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The step's name in the ledger."""
        return f"{self.kind} {self.version} {self.of}"

    @property
    def of_images(self) -> bool:
        """Whether all its objects are images. A plate is one object with hundreds of images."""
        return all(one.startswith(IMAGE) for one in self.objects)


def steps(
    done: Mapping[str, Sequence[int]],
    new: Mapping[str, Collection[int]],
    contents: Mapping[int, FilesetContents],
    digests: Mapping[str, str],
    *,
    all_imported: bool,
) -> Iterator[Step]:
    """Yield the steps for rows that are `done`, given with their filesets.

    `new` has the rows that this import started, each with the filesets that OMERO had before. `all_imported` says
    whether every row of the list is done.
    """
    kind = RENDER if RENDERING in digests else OPEN
    for path, filesets in done.items():
        created = [fileset for fileset in filesets if path in new and fileset not in new[path]]
        parts = [contents.get(fileset, FilesetContents()) for fileset in created]
        within = _unique(one for part in parts for one in (*part.containers, *part.datasets))
        for objects in _pieces(kind, _unique(one for part in parts for one in part.objects)):
            yield Step(kind, path, objects, _version(digests.get(RENDERING, ""), *objects), within)
    if all_imported and ANNOTATION in digests:
        members: dict[str, list[str]] = {}
        for fileset in sorted(fileset for filesets in done.values() for fileset in filesets):
            for container in contents.get(fileset, FilesetContents()).containers:
                members.setdefault(container, []).append(str(fileset))
        for container, filled in sorted(members.items()):
            version = _version(digests[ANNOTATION], digests.get(KEYS, ""), *filled)
            yield Step(ANNOTATE, container, (container,), version)


def grouped(steps: Iterable[Step]) -> Iterator[list[Step]]:
    """Yield the steps in groups, one for each process."""
    group: list[Step] = []
    for step in steps:
        size = sum(len(one.objects) for one in (*group, step))
        if group and not (step.of_images and group[-1].of_images and size <= IMAGES_PER_PROCESS):
            yield group
            group = []
        group.append(step)
    if group:
        yield group


def _pieces(kind: str, objects: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Yield the objects of a row in parts, one for each step. A plate has hundreds of images, so it is opened alone."""
    plates = [one for one in objects if kind == OPEN and not one.startswith(IMAGE)]
    yield from ((plate,) for plate in plates)
    rest = [one for one in objects if one not in plates]
    size = IMAGES_PER_PROCESS if kind == OPEN else OBJECTS_PER_COMMAND
    yield from (tuple(rest[first : first + size]) for first in range(0, len(rest), size))


def _unique(some: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(some))


def _version(*parts: str) -> str:
    return sha256("\n".join(parts).encode()).hexdigest()[:16]
