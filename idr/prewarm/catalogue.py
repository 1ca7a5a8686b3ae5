"""The objects of a release, read page by page from OMERO's JSON API.

Only the current page is kept in memory. Every object has a position in one fixed order, so that a run can continue
where another ended.
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from . import pages
from .client import RequestError
from .pages import EVERYBODY, Owner

API = "/api/v0/m"
PAGE = 200
WELLS = 96
"""Wells per page: a well may have dozens of images, each of some kB in the response."""

Position = tuple[int, int, int, int]
"""Section, number of the container in it, number of its first child on the page, object on the page (0: the container).

The API orders by name and number, so an object keeps its position as long as the data stay the same.
"""
START: Position = (0, 0, 0, 0)

Get = Callable[[str], Awaitable[bytes]]


@dataclass(frozen=True)
class Item:
    """One object and its pages, in the order of requests."""

    kind: str
    number: int
    paths: tuple[str, ...]


@dataclass(frozen=True)
class Section:
    """One list of the API: `kind` is an object's name in paths, `children` the list of a container's images."""

    kind: str
    query: str = ""
    children: str = ""

    @property
    def path(self) -> str:
        """The list's address, without its offset."""
        return f"{API}/{self.kind}s/?{self.query}"


SECTIONS = (
    Section("screen"),
    Section("project"),
    Section("plate", children="wells"),
    Section("dataset", children="images"),
    # Images in no dataset and no well. All others are listed with their container.
    Section("image", query="orphaned=true&"),
)
COUNTED = {"screen": "screens", "project": "projects", "plate": "plates", "dataset": "datasets", "image": "images"}


class Catalogue:
    """The objects of one release. `images`: also the pages of each image.

    `failed` is called for a container whose images cannot be listed; the run continues.
    """

    def __init__(self, get: Get, failed: Callable[[str, str], None], *, images: bool = True) -> None:
        self._get = get
        self._failed = failed
        self._images = images
        self._owners: set[Owner] = set()

    async def counts(self) -> dict[str, int]:
        """Return the number of objects of each kind. Raises RequestError."""
        return {
            kind: (await self._page(f"{API}/{name}/?", 0, 1))["meta"]["totalCount"] for kind, name in COUNTED.items()
        }

    async def items(self, start: Position) -> AsyncIterator[tuple[Position, Item]]:
        """Yield every object from `start` on, with its position. Raises RequestError if containers cannot be listed."""
        for number in range(start[0], len(SECTIONS)):
            section = SECTIONS[number]
            first = start[1] if number == start[0] else 0
            async for outer, entry in self._entries(section.path, first, PAGE):
                child_start = start[2:] if (number, outer) == start[:2] else (0, 0)
                async for inner, item in self._container(section, entry, child_start):
                    yield (number, outer, *inner), item

    async def _container(
        self, section: Section, entry: Mapping[str, Any], start: tuple[int, int]
    ) -> AsyncIterator[tuple[tuple[int, int], Item]]:
        if start == (0, 0):
            yield start, self._item(section.kind, entry)
        if not section.children:
            return
        path = f"{API}/{section.kind}s/{entry['@id']}/{section.children}/?"
        try:
            size = WELLS if section.children == "wells" else PAGE
            async for offset, entries in self._pages(path, start[0], size):
                for index, item in enumerate(self._images_of(entries, entry["@id"]), start=1):
                    if (offset, index) >= start:
                        yield (offset, index), item
        except RequestError as error:
            self._failed(error.path, error.why)

    def _item(self, kind: str, entry: Mapping[str, Any]) -> Item:
        """Return an image without container, or a container. Each owner's first item has the roots of the tree too."""
        number = entry["@id"]
        if kind == "image":
            return Item(kind, number, self._paths(entry))
        owner, everybody = _owner(entry), Owner(EVERYBODY, _owner(entry).group)
        new = {owner, everybody} - self._owners
        self._owners |= new
        roots = (path for one in sorted(new) for path in pages.tree(one))
        return Item(kind, number, (*roots, *pages.container(kind, number, owner.group)))

    def _paths(self, image: Mapping[str, Any]) -> tuple[str, ...]:
        number = image["@id"]
        return pages.image(number) if self._images else pages.opened(number, image.get("omero:series", 0))

    def _images_of(self, entries: list[dict[str, Any]], plate: int) -> Iterator[Item]:
        """Yield the images on a page of images or wells. The first image of a well has the well's pages too."""
        for entry in entries:
            if not entry["@type"].endswith("#Well"):
                yield Item("image", entry["@id"], self._paths(entry))
                continue
            well = pages.well(entry["@id"], plate) if self._images else ()
            for sample in entry.get("WellSamples", ()):
                if "Image" in sample:
                    yield Item("image", sample["Image"]["@id"], (*well, *self._paths(sample["Image"])))
                    well = ()

    async def _entries(self, path: str, offset: int, size: int) -> AsyncIterator[tuple[int, dict[str, Any]]]:
        async for first, entries in self._pages(path, offset, size):
            for index, entry in enumerate(entries):
                yield first + index, entry

    async def _pages(self, path: str, offset: int, size: int) -> AsyncIterator[tuple[int, list[dict[str, Any]]]]:
        total = offset + 1
        while offset < total:
            page = await self._page(path, offset, size)
            entries, total = page["data"], page["meta"]["totalCount"]
            if not entries:
                return
            yield offset, entries
            offset += len(entries)

    async def _page(self, path: str, offset: int, size: int) -> dict[str, Any]:
        # normalize: owners and groups are listed once per page instead of per object, in a quarter of the bytes.
        full = f"{path}limit={size}&offset={offset}&normalize=true"
        body = await self._get(full)
        try:
            page: dict[str, Any] = json.loads(body)
            page["meta"]["totalCount"], page["data"]
        except (ValueError, KeyError, TypeError):
            raise RequestError(full, "the answer is not a list of OMERO's JSON API") from None
        return page


class Chosen(Catalogue):
    """Only the chosen objects, such as Plate:7, in this order: their own pages, and the images of plates."""

    def __init__(
        self, chosen: Sequence[str], get: Get, failed: Callable[[str, str], None], *, images: bool = True
    ) -> None:
        super().__init__(get, failed, images=images)
        self._chosen = [(one.partition(":")[0].lower(), int(one.partition(":")[2])) for one in chosen]

    async def counts(self) -> dict[str, int]:
        """Return the number of objects of each kind; for a plate's images, the number of wells. Raises RequestError."""
        counts = {kind: sum(kind == one for one, _ in self._chosen) for kind in COUNTED}
        for kind, number in self._chosen:
            if kind == "plate":
                counts["image"] += (await self._page(f"{API}/plates/{number}/wells/?", 0, 1))["meta"]["totalCount"]
        return counts

    async def items(self, start: Position) -> AsyncIterator[tuple[Position, Item]]:
        """Yield each object from `start` on, with its position. Record objects that cannot be read as failed."""
        for outer, (kind, number) in enumerate(self._chosen[start[1] :], start[1]):
            child_start = start[2:] if outer == start[1] else (0, 0)
            path = f"{API}/{kind}s/{number}/"
            try:
                entry = json.loads(await self._get(path))["data"]
                section = Section(kind, children="wells" if kind == "plate" else "")
                async for inner, item in self._container(section, entry, child_start):
                    yield (0, outer, *inner), item
            except RequestError as error:
                self._failed(error.path, error.why)
            except (ValueError, KeyError, TypeError):
                self._failed(path, "the answer is not an object of OMERO's JSON API")


def catalogue(chosen: Sequence[str], get: Get, failed: Callable[[str, str], None], *, images: bool = True) -> Catalogue:
    """Create the catalogue of the chosen objects, or of all without a choice."""
    return Chosen(chosen, get, failed, images=images) if chosen else Catalogue(get, failed, images=images)


def _owner(entry: Mapping[str, Any]) -> Owner:
    details = entry["omero:details"]
    return Owner(details["owner"]["@id"], details["group"]["@id"])
