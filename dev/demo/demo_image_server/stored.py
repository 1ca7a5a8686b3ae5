"""Two more stateful services: the numbers behind a picture, and the search for names."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from . import drawing
from .catalogue import Catalogue
from .queries import Answerer
from .rendering import Stateful, place_of

_BINS = 256
_KINDS = ("Screen", "Plate", "Image")


class RawPixels(Stateful):
    """omero.api.RawPixelsStore."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._number = 0

    def setPixelsId(self, number: int, bypass: bool) -> None:
        self._number = place_of(self._catalogue, number).image_id

    def getPixelsId(self) -> int:
        return self._number

    def getByteWidth(self) -> int:
        return 1

    def isSigned(self) -> bool:
        return False

    def isFloat(self) -> bool:
        return False

    def getPlane(self, z: int, channel: int, t: int) -> bytes:
        return drawing.planes(self._number)[channel].astype(np.uint8).tobytes()

    def getTile(self, z: int, channel: int, t: int, x: int, y: int, width: int, height: int) -> bytes:
        plane = drawing.planes(self._number)[channel]
        return plane[y : y + height, x : x + width].astype(np.uint8).tobytes()

    def getHistogram(self, channels: Sequence[int], bins: int, *_range: Any) -> dict[int, list[int]]:
        planes = drawing.planes(self._number)
        return {channel: np.histogram(planes[channel], bins or _BINS, (0, 256))[0].tolist() for channel in channels}


class Search(Stateful):
    """omero.api.Search: finds the words of a text in names."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._kinds: tuple[str, ...] = _KINDS
        self._batch = 1000
        self._found: list[Any] = []

    def onlyType(self, kind: str) -> None:
        self._kinds = tuple(known for known in _KINDS if known == kind)

    def setBatchSize(self, size: int) -> None:
        self._batch = max(size, 1)

    def onlyCreatedBetween(self, start: Any, stop: Any) -> None:
        """Everything was created at the same time."""

    def onlyOwnedBy(self, details: Any) -> None:
        """Everything has the same owner."""

    def setAllowLeadingWildcard(self, allowed: bool) -> None:
        """Words are found anywhere in a name."""

    def setCaseSensitive(self, sensitive: bool) -> None:
        """Never."""

    def byFullText(self, text: str) -> None:
        words = re.findall(r"\w+", text.lower())
        answerer = Answerer(self._catalogue.places())
        self._found = [
            item
            for kind in self._kinds
            for item in answerer.all_of(kind)
            if words and all(word in item.name.val.lower() for word in words)
        ]

    def byLuceneQueryBuilder(self, fields: str, start: str, stop: str, date: str, text: str) -> None:
        self.byFullText(text)

    def hasNext(self) -> bool:
        return bool(self._found)

    def results(self) -> list[Any]:
        batch, self._found = self._found[: self._batch], self._found[self._batch :]
        return batch
