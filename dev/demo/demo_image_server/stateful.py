"""Base classes of OMERO's stateful services."""

import omero

from . import drawing
from .catalogue import Catalogue, Entry


def entry_of(catalogue: Catalogue, pixels_id: int) -> Entry:
    """Return the entry of these pixels. Raise omero.ResourceError."""
    if entry := catalogue.entry(pixels_id):
        return entry
    raise omero.ResourceError(None, None, f"the demo has no pixels {pixels_id}")


class Stateful:
    """The operations of every stateful service."""

    def activate(self) -> None:
        """Do nothing: the service is always active."""

    def passivate(self) -> None:
        """Do nothing: the service has nothing to store."""

    def close(self) -> None:
        """Do nothing: the session removes services itself."""


class PixelsService(Stateful):
    """A service for the pixels that its client has set. They have one resolution."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._current: Entry | None = None

    def _set_pixels(self, pixels_id: int) -> None:
        self._current = entry_of(self._catalogue, pixels_id)

    @property
    def _entry(self) -> Entry:
        if self._current is None:
            raise omero.ApiUsageException(None, None, "no pixels were chosen")
        return self._current

    def requiresPixelsPyramid(self) -> bool:
        return False

    def getResolutionLevels(self) -> int:
        return 1

    def getResolutionLevel(self) -> int:
        return 0

    def getTileSize(self) -> list[int]:
        return [drawing.SIZE, drawing.SIZE]
