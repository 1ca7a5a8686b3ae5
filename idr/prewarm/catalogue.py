"""What there is to ask for: a release's objects, read page by page from OMERO's JSON API.

Nothing is kept but the page at hand, and every object has a place in one fixed order, so that a run can go on where
another ended.
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .client import AskError

API = "/api/v0/m"
PAGE = 200
WELLS = 96
"""Wells a page: one may hold dozens of images, each described in some kB."""
BATCH = 50
"""Thumbnails that a plate's page asks for at once: `omero.web.thumbnails_batch`."""

Place = tuple[int, int, int, int]
"""Section, number of the container in it, number of its first child on the page, object on the page (0: the container).

The API orders by name and number, so an object keeps its place for as long as the data stay the same.
"""
BEGINNING: Place = (0, 0, 0, 0)

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
    """The objects of one release. A container whose images cannot be listed is told to `failed`; the rest goes on."""

    def __init__(self, ask: Ask, failed: Callable[[str, str], None]) -> None:
        self._ask = ask
        self._failed = failed

    async def counts(self) -> dict[str, int]:
        """How many objects of each kind there are. Raises AskError."""
        return {
            kind: (await self._page(f"{API}/{name}/?", 0, 1))["meta"]["totalCount"] for kind, name in COUNTED.items()
        }

    async def items(self, start: Place) -> AsyncIterator[tuple[Place, Item]]:
        """Every object from `start` on, with its place. Raises AskError when the containers cannot be listed."""
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
            yield start, image(entry) if section.kind == "image" else container(section.kind, entry["@id"])
        if not section.children:
            return
        path = f"{API}/{section.kind}s/{entry['@id']}/{section.children}/?"
        try:
            async for place, item in self._images(path, WELLS if section.children == "wells" else PAGE, start):
                yield place, item
        except AskError as error:
            self._failed(error.path, error.why)

    async def _images(
        self, path: str, size: int, start: tuple[int, int]
    ) -> AsyncIterator[tuple[tuple[int, int], Item]]:
        async for offset, entries in self._pages(path, start[0], size):
            for index, entry in enumerate(_images_of(entries), start=1):
                if (offset, index) >= start:
                    yield (offset, index), image(entry)

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


def container(kind: str, number: int) -> Item:
    """A screen, project, plate or dataset: the panel that a click on it fills; of a plate its grid too."""
    paths = [f"/webclient/metadata_details/{kind}/{number}/"]
    if kind == "plate":
        paths.append(f"/webgateway/plate/{number}/0/")
    return Item(kind, number, tuple(paths))


def named_in(path: str, body: bytes) -> Iterator[str]:
    """What a page goes on to ask for: the thumbnails that a plate's grid names, in the page's own batches.

    To the letter as the page asks, or the proxy would not know them again. Raises AskError when it is no grid.
    """
    if not path.startswith("/webgateway/plate/"):
        return
    try:
        numbers = [cell["id"] for row in json.loads(body)["grid"] for cell in row if cell]
    except (ValueError, KeyError, TypeError):
        raise AskError(path, "the answer is not the grid of a plate") from None
    for first in range(0, len(numbers), BATCH):
        yield "/webgateway/get_thumbnails/?" + "&".join(f"id={number}" for number in numbers[first : first + BATCH])


def image(entry: Mapping[str, Any]) -> Item:
    """An image: its thumbnail, and for the first of a fileset what makes the server open its files.

    The thumbnail's address is the one that a plate's grid names. webclient has one of its own, but answers 200 with a
    placeholder where there is no thumbnail: that would hide a failure here and stay in the proxy's cache.
    """
    number = entry["@id"]
    thumbnail = f"/webgateway/render_thumbnail/{number}/"
    # One reader, and so one memo file, serves all series of a fileset; an image of no fileset has no series.
    if entry.get("omero:series", 0) == 0:
        return Item("image", number, (f"/webgateway/imgData/{number}/", thumbnail))
    return Item("image", number, (thumbnail,))


def _images_of(entries: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The images on a page of wells or of images."""
    for entry in entries:
        if entry["@type"].endswith("#Well"):
            yield from (sample["Image"] for sample in entry.get("WellSamples", ()) if "Image" in sample)
        else:
            yield entry
