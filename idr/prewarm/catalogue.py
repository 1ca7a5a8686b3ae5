"""What there is to ask for: a release's objects, read page by page from OMERO's JSON API.

Nothing is kept but the page at hand, and every object has a position in one fixed order, so that a run can go on where
another ended.
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from . import pages
from .client import AskError
from .pages import EVERYBODY, Owner

API = "/api/v0/m"
PAGE = 200
WELLS = 96
"""Wells a page: one may hold dozens of images, each described in some kB."""

Position = tuple[int, int, int, int]
"""Section, number of the container in it, number of its first child on the page, object on the page (0: the container).

The API orders by name and number, so an object keeps its position as long as the data stay the same.
"""
BEGINNING: Position = (0, 0, 0, 0)

Ask = Callable[[str], Awaitable[bytes]]


@dataclass(frozen=True)
class Item:
    """One object and the pages to ask for, in this order."""

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
        """The list's address, to be continued with an offset."""
        return f"{API}/{self.kind}s/?{self.query}"


SECTIONS = (
    Section("screen"),
    Section("project"),
    Section("plate", children="wells"),
    Section("dataset", children="images"),
    # In no dataset and no well; every other image is met below its container.
    Section("image", query="orphaned=true&"),
)
COUNTED = {"screen": "screens", "project": "projects", "plate": "plates", "dataset": "datasets", "image": "images"}


class Catalogue:
    """The objects of one release, with the pages of images where `images` says so.

    `failed` is called with a container whose images cannot be listed; the rest continues.
    """

    def __init__(self, ask: Ask, failed: Callable[[str, str], None], *, images: bool = True) -> None:
        self._ask = ask
        self._failed = failed
        self._images = images
        self._owners: set[Owner] = set()

    async def counts(self) -> dict[str, int]:
        """How many objects of each kind there are. Raises AskError."""
        return {
            kind: (await self._page(f"{API}/{name}/?", 0, 1))["meta"]["totalCount"] for kind, name in COUNTED.items()
        }

    async def items(self, start: Position) -> AsyncIterator[tuple[Position, Item]]:
        """Every object from `start` on, with its position. Raises AskError when the containers cannot be listed."""
        for number in range(start[0], len(SECTIONS)):
            section = SECTIONS[number]
            first = start[1] if number == start[0] else 0
            async for outer, entry in self._entries(section.path, first, PAGE):
                begin = start[2:] if (number, outer) == start[:2] else (0, 0)
                async for inner, item in self._container(section, entry, begin):
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
        except AskError as error:
            self._failed(error.path, error.why)

    def _item(self, kind: str, entry: Mapping[str, Any]) -> Item:
        """An image of no container, or a container; with the first one of each owner the roots of the tree."""
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
        """The images on a page of a plate's wells or of images; with a well's first image the well's own pages."""
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
        # normalize: owners and groups once a page instead of once an object, a quarter of the bytes
        full = f"{path}limit={size}&offset={offset}&normalize=true"
        body = await self._ask(full)
        try:
            page: dict[str, Any] = json.loads(body)
            page["meta"]["totalCount"], page["data"]
        except (ValueError, KeyError, TypeError):
            raise AskError(full, "the answer is not a list of OMERO's JSON API") from None
        return page


class Chosen(Catalogue):
    """Some objects alone, such as Plate:7, in the order given: their own pages, and the images of a plate."""

    def __init__(
        self, chosen: Sequence[str], ask: Ask, failed: Callable[[str, str], None], *, images: bool = True
    ) -> None:
        super().__init__(ask, failed, images=images)
        self._chosen = [(one.partition(":")[0].lower(), int(one.partition(":")[2])) for one in chosen]

    async def counts(self) -> dict[str, int]:
        """How many there are of each kind; of a plate's images, its wells. Raises AskError."""
        found = {kind: sum(kind == one for one, _ in self._chosen) for kind in COUNTED}
        for kind, number in self._chosen:
            if kind == "plate":
                found["image"] += (await self._page(f"{API}/plates/{number}/wells/?", 0, 1))["meta"]["totalCount"]
        return found

    async def items(self, start: Position) -> AsyncIterator[tuple[Position, Item]]:
        """Each object from `start` on, with its position. One that cannot be had has failed."""
        for outer, (kind, number) in enumerate(self._chosen[start[1] :], start[1]):
            begin = start[2:] if outer == start[1] else (0, 0)
            path = f"{API}/{kind}s/{number}/"
            try:
                entry = json.loads(await self._ask(path))["data"]
                section = Section(kind, children="wells" if kind == "plate" else "")
                async for inner, item in self._container(section, entry, begin):
                    yield (0, outer, *inner), item
            except AskError as error:
                self._failed(error.path, error.why)
            except (ValueError, KeyError, TypeError):
                self._failed(path, "the answer is not an object of OMERO's JSON API")


def catalogue(chosen: Sequence[str], ask: Ask, failed: Callable[[str, str], None], *, images: bool = True) -> Catalogue:
    """Everything, or where some objects are chosen, these alone."""
    return Chosen(chosen, ask, failed, images=images) if chosen else Catalogue(ask, failed, images=images)


def _owner(entry: Mapping[str, Any]) -> Owner:
    details = entry["omero:details"]
    return Owner(details["owner"]["@id"], details["group"]["@id"])
