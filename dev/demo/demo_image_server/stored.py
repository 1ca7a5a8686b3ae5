"""The search for names, a stateful service."""

import re
from typing import Any

from .catalogue import Catalogue
from .queries import Answerer
from .stateful import Stateful
from .users import OWNERS

_KINDS = ("Screen", "Plate", "Image")


class Search(Stateful):
    """omero.api.Search: finds the words of a text in names."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._kinds: tuple[str, ...] = _KINDS
        self._batch = 1000
        self._found: list[Any] = []
        self._anybody = True

    def onlyType(self, kind: str) -> None:
        self._kinds = tuple(known for known in _KINDS if known == kind)

    def setBatchSize(self, size: int) -> None:
        self._batch = max(size, 1)

    def onlyCreatedBetween(self, start: Any, stop: Any) -> None:
        """Everything was created at the same time."""

    def onlyOwnedBy(self, details: Any) -> None:
        owner = details.owner
        self._anybody = owner is None or owner.id.val in {user.number for user in OWNERS}

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
            if self._anybody and words and all(word in item.name.val.lower() for word in words)
        ]

    def byLuceneQueryBuilder(self, fields: str, start: str, stop: str, date: str, text: str) -> None:
        self.byFullText(text)

    def hasNext(self) -> bool:
        return bool(self._found)

    def results(self) -> list[Any]:
        batch, self._found = self._found[: self._batch], self._found[self._batch :]
        return batch
