"""The two stateful services that render: thumbnails, and whole images with the client's settings."""

import io
import time
from dataclasses import replace
from typing import Any

import omero
import omero.model
import omero.romio
from omero.rtypes import rint, unwrap
from PIL import Image

from . import drawing
from .catalogue import Catalogue
from .objects import ObjectBuilder, enumeration
from .stateful import PixelsService, Stateful, entry_of

_SETTINGS_ID = 1
_WHITE = (255, 255, 255)


class Thumbnails(Stateful):
    """omero.api.ThumbnailStore."""

    def __init__(self, catalogue: Catalogue, delay_seconds: float) -> None:
        self._catalogue = catalogue
        self._delay = delay_seconds
        self._pixels_id = 0

    def setPixelsId(self, number: int) -> bool:
        self._pixels_id = entry_of(self._catalogue, number).image_id
        return True

    def setRenderingDefId(self, number: int) -> None:
        """Do nothing: an image has one rendering definition."""

    def getRenderingDefId(self) -> int:
        return _SETTINGS_ID

    def isInProgress(self) -> bool:
        return False

    def thumbnailExists(self, width: Any, height: Any) -> bool:
        return True

    def resetDefaults(self) -> None:
        """Do nothing: there are only the defaults."""

    def getThumbnail(self, width: Any, height: Any) -> bytes:
        return self._draw(self._pixels_id, unwrap(width), unwrap(height))

    def getThumbnailByLongestSide(self, size: Any) -> bytes:
        return self._draw(self._pixels_id, unwrap(size), unwrap(size))

    def getThumbnailForSectionDirect(self, _z: int, _t: int, width: Any, height: Any) -> bytes:
        return self.getThumbnail(width, height)

    def getThumbnailForSectionByLongestSideDirect(self, _z: int, _t: int, size: Any) -> bytes:
        return self.getThumbnailByLongestSide(size)

    def getThumbnailSet(self, width: Any, height: Any, numbers: list[int]) -> dict[int, bytes]:
        ids = {entry.image_id for entry in self._catalogue.entries()}
        return {number: self._draw(number, unwrap(width), unwrap(height)) for number in numbers if number in ids}

    def getThumbnailByLongestSideSet(self, size: Any, numbers: list[int]) -> dict[int, bytes]:
        return self.getThumbnailSet(size, size, numbers)

    getThumbnailDirect = getThumbnailWithoutDefault = getThumbnail
    getThumbnailByLongestSideDirect = getThumbnailByLongestSide

    def _draw(self, number: int, width: int | None, height: int | None) -> bytes:
        time.sleep(self._delay)
        edge = width or height or 96
        return drawing.draw(number, edge, height or edge)


class Renderer(PixelsService):
    """omero.api.RenderingEngine."""

    def __init__(self, catalogue: Catalogue, delay_seconds: float) -> None:
        super().__init__(catalogue)
        self._delay = delay_seconds
        self._channels: list[drawing.Channel] = []
        self._grey = False
        self._quality = 0.85

    def lookupPixels(self, number: int) -> None:
        self._set_pixels(number)
        self._channels = list(drawing.default_channels(self._entry.image_id))

    def lookupRenderingDef(self, number: int) -> bool:
        return True

    def loadRenderingDef(self, number: int) -> None:
        """Do nothing: an image has one rendering definition."""

    def load(self) -> None:
        """Do nothing: there is nothing to load."""

    def getRenderingDefId(self) -> int:
        return _SETTINGS_ID

    def resetDefaultSettings(self, save: bool) -> int:
        self._channels = list(drawing.default_channels(self._entry.image_id))
        return _SETTINGS_ID

    def getPixels(self) -> Any:
        return ObjectBuilder(self._entry.owner).build("Pixels", self._entry)

    def getDefaultZ(self) -> int:
        return 0

    def getDefaultT(self) -> int:
        return 0

    def setDefaultZ(self, z: int) -> None:
        """Do nothing: there is one z-section."""

    def setDefaultT(self, t: int) -> None:
        """Do nothing: there is one timepoint."""

    def getModel(self) -> Any:
        return self.getAvailableModels()[1 if self._grey else 0]

    def setModel(self, model: Any) -> None:
        self._grey = unwrap(model.value) == "greyscale"

    def getAvailableModels(self) -> list[Any]:
        return [enumeration("RenderingModel", name, number) for number, name in enumerate(("rgb", "greyscale"), 1)]

    def getAvailableFamilies(self) -> list[Any]:
        return [enumeration("Family", "linear")]

    def getChannelFamily(self, index: int) -> Any:
        return enumeration("Family", "linear")

    def getChannelCurveCoefficient(self, index: int) -> float:
        return 1.0

    def getChannelNoiseReduction(self, index: int) -> bool:
        return False

    def getChannelLookupTable(self, index: int) -> str:
        return ""

    def setChannelLookupTable(self, index: int, table: str) -> None:
        """Do nothing: the demo has no lookup tables, and the channel keeps its colour."""

    def setQuantizationMap(self, index: int, family: Any, coefficient: float, noise_reduction: bool) -> None:
        """Do nothing: the map is always linear."""

    def getCodomainMapContext(self, index: int) -> list[Any]:
        return [omero.model.ReverseIntensityContextI(index + 1, True)] if self._channels[index].inverted else []

    def addCodomainMapToChannel(self, context: Any, index: int) -> None:
        self._invert(context, index, inverted=True)

    def removeCodomainMapFromChannel(self, context: Any, index: int) -> None:
        self._invert(context, index, inverted=False)

    def _invert(self, context: Any, index: int, *, inverted: bool) -> None:
        if isinstance(context, omero.romio.ReverseIntensityMapContext):
            self._channels[index] = replace(self._channels[index], inverted=inverted)

    def getQuantumDef(self) -> Any:
        result = omero.model.QuantumDefI(1, True)
        result.cdStart, result.cdEnd, result.bitResolution = rint(0), rint(255), rint(255)
        return result

    def getPixelsTypeLowerBound(self, index: int) -> float:
        return 0.0

    def getPixelsTypeUpperBound(self, index: int) -> float:
        return 255.0

    def isPixelsTypeSigned(self) -> bool:
        return False

    def getChannelWindowStart(self, index: int) -> float:
        return self._channels[index].start

    def getChannelWindowEnd(self, index: int) -> float:
        return self._channels[index].end

    def setChannelWindow(self, index: int, start: float, end: float) -> None:
        self._channels[index] = replace(self._channels[index], start=start, end=end)

    def getRGBA(self, index: int) -> list[int]:
        return [*self._channels[index].colour, 255]

    def setRGBA(self, index: int, red: int, green: int, blue: int, alpha: int) -> None:
        self._channels[index] = replace(self._channels[index], colour=(red, green, blue))

    def isActive(self, index: int) -> bool:
        return self._channels[index].active

    def setActive(self, index: int, active: bool) -> None:
        self._channels[index] = replace(self._channels[index], active=active)

    def getCompressionLevel(self) -> float:
        return self._quality

    def setCompressionLevel(self, quality: float) -> None:
        self._quality = quality

    def setResolutionLevel(self, level: int) -> None:
        """Do nothing: there is one resolution."""

    def renderCompressed(self, plane: Any) -> bytes:
        return self._draw(plane.region)

    def renderProjectedCompressed(self, *_projection: Any) -> bytes:
        return self._draw(None)

    def _draw(self, region: Any) -> bytes:
        time.sleep(self._delay)
        channels = [replace(channel, colour=_WHITE) for channel in self._channels] if self._grey else self._channels
        jpeg = drawing.draw(self._entry.image_id, drawing.SIZE, drawing.SIZE, tuple(channels), self._quality)
        if region is None:
            return jpeg
        buffer = io.BytesIO()
        right, bottom = region.x + region.width, region.y + region.height
        picture = Image.open(io.BytesIO(jpeg)).crop((region.x, region.y, right, bottom))
        picture.save(buffer, "JPEG", quality=round(self._quality * 95))
        return buffer.getvalue()
