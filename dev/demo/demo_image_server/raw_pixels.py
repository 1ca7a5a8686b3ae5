"""The stateful service for raw pixels, which ImageJ, napari and scripts read."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import omero
import omero.romio
from numpy.typing import NDArray

from . import drawing
from .stateful import PixelsService

_BINS = 256


class RawPixels(PixelsService):
    """omero.api.RawPixelsStore: one byte a pixel, one z-section, one timepoint."""

    def setPixelsId(self, number: int, bypass: bool) -> None:
        self._set_pixels(number)

    def getPixelsId(self) -> int:
        return self._entry.image_id

    def getByteWidth(self) -> int:
        return 1

    def isSigned(self) -> bool:
        return False

    def isFloat(self) -> bool:
        return False

    def getRowSize(self) -> int:
        return drawing.SIZE

    def getPlaneSize(self) -> int:
        return drawing.SIZE**2

    getStackSize = getPlaneSize

    def getTimepointSize(self) -> int:
        return len(drawing.CHANNELS) * drawing.SIZE**2

    getTotalSize = getTimepointSize

    def setResolutionLevel(self, level: int) -> None:
        _require(level == 0, f"resolution level {level} of 1")

    def getResolutionDescriptions(self) -> list[Any]:
        return [omero.api.ResolutionDescription(drawing.SIZE, drawing.SIZE)]

    def getPlane(self, z: int, channel: int, t: int) -> bytes:
        return self._plane(z, channel, t).tobytes()

    def getStack(self, channel: int, t: int) -> bytes:
        return self.getPlane(0, channel, t)

    def getTimepoint(self, t: int) -> bytes:
        return b"".join(self.getPlane(0, channel, t) for channel in range(len(drawing.CHANNELS)))

    def getRow(self, y: int, z: int, channel: int, t: int) -> bytes:
        return self.getTile(z, channel, t, 0, y, drawing.SIZE, 1)

    def getCol(self, x: int, z: int, channel: int, t: int) -> bytes:
        return self.getTile(z, channel, t, x, 0, 1, drawing.SIZE)

    def getTile(self, z: int, channel: int, t: int, x: int, y: int, width: int, height: int) -> bytes:
        plane = self._plane(z, channel, t)
        inside = min(x, y) >= 0 and min(width, height) > 0 and max(x + width, y + height) <= drawing.SIZE
        _require(inside, f"a tile of {width} by {height} pixels at {x}, {y}")
        return plane[y : y + height, x : x + width].tobytes()

    def getHistogram(self, channels: Sequence[int], bins: int, *_range: Any) -> dict[int, list[int]]:
        return {
            channel: np.histogram(self._plane(0, channel, 0), bins or _BINS, (0, 256))[0].tolist()
            for channel in channels
        }

    def _plane(self, z: int, channel: int, t: int) -> NDArray[np.uint8]:
        _require((z, t) == (0, 0) and channel in range(len(drawing.CHANNELS)), f"z {z}, channel {channel}, t {t}")
        return drawing.planes(self._entry.image_id)[channel].astype(np.uint8)


def _require(condition: bool, what: str) -> None:
    if not condition:
        raise omero.ApiUsageException(None, None, f"the image does not have {what}")
