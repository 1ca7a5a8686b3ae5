"""The stateful service that searches for names."""

import re
from typing import Any

from .catalogue import Catalogue
from .queries import Evaluator
from .stateful import Stateful
from .users import OWNERS

_KINDS = ("Screen", "Plate", "Image")


class Search(Stateful):
    """omero.api.Search: objects whose names have all words of a text."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._kinds: tuple[str, ...] = _KINDS
        self._batch = 1000
        self._results: list[Any] = []
        self._any_owner = True

    def onlyType(self, kind: str) -> None:
        self._kinds = tuple(known for known in _KINDS if known == kind)

    def setBatchSize(self, size: int) -> None:
        self._batch = max(size, 1)

    def onlyCreatedBetween(self, start: Any, stop: Any) -> None:
        """Do nothing: all objects were created at the same time."""

    def onlyOwnedBy(self, details: Any) -> None:
        owner = details.owner
        self._any_owner = owner is None or owner.id.val in {user.number for user in OWNERS}

    def setAllowLeadingWildcard(self, allowed: bool) -> None:
        """Do nothing: a word matches anywhere in a name."""

    def setCaseSensitive(self, sensitive: bool) -> None:
        """Do nothing: the search is never case-sensitive."""

    def byFullText(self, text: str) -> None:
        words = re.findall(r"\w+", text.lower())
        evaluator = Evaluator(self._catalogue.entries())
        self._results = [
            item
            for kind in self._kinds
            for item in evaluator.all_of(kind)
            if self._any_owner and words and all(word in item.name.val.lower() for word in words)
        ]

    def byLuceneQueryBuilder(self, fields: str, start: str, stop: str, date: str, text: str) -> None:
        self.byFullText(text)

    def hasNext(self) -> bool:
        return bool(self._results)

    def results(self) -> list[Any]:
        batch, self._results = self._results[: self._batch], self._results[self._batch :]
        return batch
