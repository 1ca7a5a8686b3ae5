"""What OMERO's stateful services have in common."""

import omero

from . import drawing
from .catalogue import Catalogue, Place


def place_of(catalogue: Catalogue, pixels_id: int) -> Place:
    """The place of those pixels; raises omero.ResourceError."""
    if place := catalogue.place(pixels_id):
        return place
    raise omero.ResourceError(None, None, f"the demo has no pixels {pixels_id}")


class Stateful:
    """Every stateful service."""

    def activate(self) -> None:
        """Nothing to wake."""

    def passivate(self) -> None:
        """Nothing to store."""

    def close(self) -> None:
        """The session forgets services by itself."""


class OfPixels(Stateful):
    """A service that works on the pixels which its client chose; they have one resolution."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._place: Place | None = None

    def _choose(self, pixels_id: int) -> None:
        self._place = place_of(self._catalogue, pixels_id)

    @property
    def _chosen(self) -> Place:
        if self._place is None:
            raise omero.ApiUsageException(None, None, "no pixels were chosen")
        return self._place

    def requiresPixelsPyramid(self) -> bool:
        return False

    def getResolutionLevels(self) -> int:
        return 1

    def getResolutionLevel(self) -> int:
        return 0

    def getTileSize(self) -> list[int]:
        return [drawing.SIZE, drawing.SIZE]
