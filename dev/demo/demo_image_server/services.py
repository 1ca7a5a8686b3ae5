"""The stateless services for the data: what OMERO.web asks of them, read-only."""

from collections.abc import Sequence
from typing import Any

import omero
import omero.grid
from omero.rtypes import rlong

from . import objects
from .catalogue import Catalogue
from .queries import Evaluator


class Query:
    """omero.api.IQuery."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def findAllByQuery(self, text: str, parameters: Any) -> list[Any]:
        return self._evaluator.objects(text, parameters)

    def findByQuery(self, text: str, parameters: Any) -> Any:
        return next(iter(self._evaluator.objects(text, parameters)), None)

    def projection(self, text: str, parameters: Any) -> list[list[Any]]:
        return self._evaluator.rows(text, parameters)

    def find(self, kind: str, number: int) -> Any:
        return next(iter(self._evaluator.by_id(kind, [number])), None)

    def get(self, kind: str, number: int) -> Any:
        if (result := self.find(kind, number)) is None:
            raise omero.ValidationException(None, None, f"the demo has no {kind} {number}")
        return result

    def findAll(self, kind: str, _filter: Any) -> list[Any]:
        return self._evaluator.all_of(kind)

    @property
    def _evaluator(self) -> Evaluator:
        return Evaluator(self._catalogue.entries())


class Container:
    """omero.api.IContainer."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def getImages(self, kind: str, numbers: Sequence[int], options: Any) -> list[Any]:
        return self.loadContainerHierarchy(kind, numbers, options) if kind == "Image" else []

    def loadContainerHierarchy(self, kind: str, numbers: Sequence[int], options: Any) -> list[Any]:
        return Evaluator(self._catalogue.entries()).by_id(kind, numbers)

    def getCollectionCount(self, kind: str, collection: str, numbers: Sequence[int], options: Any) -> dict[int, int]:
        """Count the plates of screens. All other collections are empty."""
        counts = dict.fromkeys(numbers, 0)
        if (kind, collection) == ("Screen", "plateLinks"):
            for entry in {entry.plate_id: entry for entry in self._catalogue.entries()}.values():
                if entry.screen_id in counts:
                    counts[entry.screen_id] += 1
        return counts

    def getImagesBySplitFilesets(self, *_question: Any) -> dict[int, Any]:
        return {}


class Metadata:
    """omero.api.IMetadata: no annotations, because clients read them by queries."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def loadChannelAcquisitionData(self, numbers: Sequence[int]) -> list[Any]:
        images = {objects.image_of_channel(number) for number in numbers}
        pixels = Evaluator(self._catalogue.entries()).by_id("Pixels", sorted(images))
        channels = [channel.logicalChannel for item in pixels for channel in item.copyChannels()]
        return [channel for channel in channels if channel.id.val in numbers]

    def loadAnnotations(self, *_question: Any) -> dict[int, list[Any]]:
        return {}

    loadSpecifiedAnnotationsLinkedTo = loadAnnotations

    def loadSpecifiedAnnotations(self, *_question: Any) -> list[Any]:
        return []

    loadAnnotation = loadTagSets = loadSpecifiedAnnotations

    def countSpecifiedAnnotations(self, *_question: Any) -> Any:
        return rlong(0)


class Types:
    """omero.api.ITypes: the few enumerations that rendering needs."""

    def allEnumerations(self, kind: str) -> list[Any]:
        values = {"RenderingModel": ("rgb", "greyscale"), "Family": ("linear",), "PixelsType": ("uint8",)}
        name = kind.rsplit(".", 1)[-1]
        return [objects.enumeration(name, value, number) for number, value in enumerate(values.get(name, ()), 1)]


class Rois:
    """omero.api.IRoi: no regions of interest."""

    def findByImage(self, number: int, options: Any) -> Any:
        return omero.api.RoiResult(options, [], {}, {})

    def getRoiCount(self, *_question: Any) -> int:
        return 0


class Scripts:
    """omero.api.IScript: no scripts."""

    def getScripts(self) -> list[Any]:
        return []

    def getScriptsByMimetype(self, kind: str) -> list[Any]:
        return []

    def getScriptID(self, path: str) -> int:
        return -1


class RenderingSettings:
    """omero.api.IRenderingSettings: no operation, because nobody may save settings."""


class Pixels:
    """omero.api.IPixels."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def retrievePixDescription(self, number: int) -> Any:
        return next(iter(Evaluator(self._catalogue.entries()).by_id("Pixels", [number])), None)

    def retrieveAllRndSettings(self, *_question: Any) -> list[Any]:
        return []


class SharedResources:
    """omero.grid.SharedResources: no repositories, no tables, no processors."""

    def repositories(self) -> Any:
        return omero.grid.RepositoryMap([], [])

    def areTablesEnabled(self) -> bool:
        return False


class Unsupported:
    """A service without operations. Clients get the errors that `servants` describes."""
