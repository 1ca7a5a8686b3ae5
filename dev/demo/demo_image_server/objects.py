"""OMERO's own objects, made from places of the catalogue."""

from typing import Any

import omero
import omero.model
import omero.model.enums
from omero.rtypes import rbool, rdouble, rint, rlong, rmap, rstring, rtime

from .catalogue import GENE_KEY, GENE_NAMESPACE, Place
from .drawing import CHANNELS, COLUMNS, ROWS, SIZE
from .sessions import Session
from .users import USERS, User

PUBLIC_GROUP_ID, USER_GROUP_ID = 3, 1
PUBLIC_GROUP = "demo"
PERMISSIONS = "rwr---"
PIXEL_MICROMETRES = 0.65
_RESTRICTIONS = ("canAnnotate", "canDelete", "canEdit", "canLink", "canChgrp", "canChown")
_NO_DOWNLOAD = "RESTRICT-BINARY-ACCESS"
"""What OMERO.server adds for `omero.policy.binary_access` of this project's servers."""


def permissions() -> Any:
    """Everybody reads, nobody changes."""
    result = omero.model.PermissionsI(PERMISSIONS)
    result._restrictions = [True] * len(_RESTRICTIONS)
    result._extendedRestrictions = [_NO_DOWNLOAD]
    return result


def permissions_map() -> Any:
    """The same, as OMERO answers `new map(image as image_details_permissions)`."""
    denied = {name: rbool(False) for name in _RESTRICTIONS}
    return rmap({"perm": rstring(PERMISSIONS), **denied})


def group() -> Any:
    """The one group, with both users."""
    result = _bare_group()
    result._groupExperimenterMapSeq = [_membership(result, _bare_experimenter(user), user) for user in USERS]
    return result


def experimenter(user: User) -> Any:
    """A user, and the membership in the one group."""
    result = _bare_experimenter(user)
    result._groupExperimenterMapSeq = [_membership(_bare_group(), result, user)]
    return result


def _bare_group() -> Any:
    result = omero.model.ExperimenterGroupI(PUBLIC_GROUP_ID, True)
    result.name = rstring(PUBLIC_GROUP)
    result.ldap = rbool(False)
    result.details.permissions = permissions()
    return result


def _bare_experimenter(user: User) -> Any:
    result = omero.model.ExperimenterI(user.number, True)
    result.omeName = rstring(user.name)
    result.firstName, result.lastName = rstring(user.first_name), rstring(user.last_name)
    result.ldap = rbool(False)
    result.details.permissions = permissions()
    return result


def _membership(parent: Any, child: Any, user: User) -> Any:
    result = omero.model.GroupExperimenterMapI(user.number, True)
    result.owner = rbool(False)
    result.parent, result.child = parent, child
    return result


class Maker:
    """Makes the objects of one answer; what several places share is made once, so it travels once."""

    def __init__(self, owner: User) -> None:
        self._made: dict[tuple[str, int], Any] = {}
        self._group, self._owner = group(), experimenter(owner)

    def make(self, kind: str, place: Place) -> Any:
        """The object of class `kind` at that place."""
        make, number = _MAKERS[kind](self), _NUMBERS[kind](place)
        key = (kind, number)
        if key not in self._made:
            self._made[key] = make(place)
        return self._made[key]

    def _new(self, kind: str, number: int, acquired: int) -> Any:
        result = getattr(omero.model, f"{kind}I")(number, True)
        self._made[kind, number] = result  # known before it is complete: objects refer to each other
        result.details.owner, result.details.group = self._owner, self._group
        result.details.permissions = permissions()
        event = omero.model.EventI(1, True)
        event.time = rtime(acquired)
        result.details.creationEvent = result.details.updateEvent = event
        return result

    def group(self, place: Place) -> Any:
        """The group of everything."""
        del place
        return self._group

    def experimenter(self, place: Place) -> Any:
        """A user: the owner of a place."""
        return experimenter(place.owner)

    def screen(self, place: Place) -> Any:
        """A screen; its plates are not listed in it."""
        screen = self._new("Screen", place.screen_id, place.acquired)
        screen.name, screen.description = rstring(place.screen_name), rstring(place.screen_description)
        return screen

    def link(self, place: Place) -> Any:
        """A plate's membership in a screen."""
        link = self._new("ScreenPlateLink", place.plate_id, place.acquired)
        link.parent, link.child = self.make("Screen", place), self.make("Plate", place)
        return link

    def plate(self, place: Place) -> Any:
        """A plate; its wells are not listed in it, its screen is."""
        plate = self._new("Plate", place.plate_id, place.acquired)
        plate.name, plate.description = rstring(place.plate_name), rstring(place.plate_description)
        plate.rows, plate.columns = rint(ROWS), rint(COLUMNS)
        plate.rowNamingConvention, plate.columnNamingConvention = rstring("letter"), rstring("number")
        plate.defaultSample = rint(0)
        plate.addScreenPlateLink(self.make("ScreenPlateLink", place))
        return plate

    def well(self, place: Place) -> Any:
        """A well with its one field and the image of it."""
        well = self._new("Well", place.well_id, place.acquired)
        well.row, well.column = rint(place.row), rint(place.column)
        well.plate = self.make("Plate", place)
        well.addWellSample(self.make("WellSample", place))
        return well

    def well_sample(self, place: Place) -> Any:
        """A field of a well."""
        sample = self._new("WellSample", place.well_id, place.acquired)
        sample.well, sample.image = self.make("Well", place), self.make("Image", place)
        return sample

    def image(self, place: Place) -> Any:
        """An image with its pixels."""
        image = self._new("Image", place.image_id, place.acquired)
        image.name = rstring(place.image_name)
        image.description = rstring("Made on the spot by the demo image server; not IDR data.")
        image.acquisitionDate, image.archived = rtime(place.acquired), rbool(False)
        image.addPixels(self.make("Pixels", place))
        return image

    def pixels(self, place: Place) -> Any:
        """The pixels of an image, with both channels."""
        pixels = self._new("Pixels", place.image_id, place.acquired)
        pixels.image = self.make("Image", place)
        pixels.sizeX = pixels.sizeY = rint(SIZE)
        pixels.sizeZ = pixels.sizeT = rint(1)
        pixels.sizeC, pixels.significantBits = rint(len(CHANNELS)), rint(8)
        pixels.dimensionOrder, pixels.pixelsType = enumeration("DimensionOrder", "XYZCT"), pixels_type()
        edge = omero.model.LengthI(PIXEL_MICROMETRES, omero.model.enums.UnitsLength.MICROMETER)
        pixels.physicalSizeX = pixels.physicalSizeY = edge
        for index, name in enumerate(CHANNELS):
            pixels.addChannel(self._channel(place, index, name))
        return pixels

    def annotation(self, place: Place) -> Any:
        """The gene of a place, as a map of one key."""
        annotation = self._new("MapAnnotation", place.row + 1, place.acquired)
        annotation.ns = rstring(GENE_NAMESPACE)
        annotation.setMapValue([omero.model.NamedValue(GENE_KEY, place.gene)])
        return annotation

    def image_annotation(self, place: Place) -> Any:
        """What joins an image to its annotation."""
        link = self._new("ImageAnnotationLink", place.image_id, place.acquired)
        link.parent, link.child = self.make("Image", place), self.make("MapAnnotation", place)
        return link

    def well_annotation(self, place: Place) -> Any:
        """What joins a well to its annotation."""
        link = self._new("WellAnnotationLink", place.well_id, place.acquired)
        link.parent, link.child = self.make("Well", place), self.make("MapAnnotation", place)
        return link

    def _channel(self, place: Place, index: int, name: str) -> Any:
        number = (place.image_id - 1) * len(CHANNELS) + index + 1  # see image_of_channel
        channel = self._new("Channel", number, place.acquired)
        logical = self._new("LogicalChannel", number, place.acquired)
        logical.name, channel.logicalChannel = rstring(name), logical
        channel.statsInfo = omero.model.StatsInfoI(number, True)
        channel.statsInfo.globalMin, channel.statsInfo.globalMax = rdouble(0), rdouble(255)
        return channel


def image_of_channel(number: int) -> int:
    """The number of the image that a channel belongs to."""
    return (number - 1) // len(CHANNELS) + 1


def enumeration(kind: str, value: str, number: int = 1) -> Any:
    """One value of one of OMERO's enumerations."""
    result = getattr(omero.model, f"{kind}I")(number, True)
    result.value = rstring(value)
    return result


def pixels_type() -> Any:
    """Eight bits a channel."""
    result = enumeration("PixelsType", "uint8")
    result.bitSize = rint(8)
    return result


def session(login: Session, idle_seconds: float) -> Any:
    """A login, as OMERO describes it."""
    result = omero.model.SessionI(1, True)
    result.uuid, result.userAgent = rstring(login.uuid), rstring("demo")
    result.timeToIdle, result.timeToLive = rlong(int(idle_seconds * 1000)), rlong(0)
    result.started = rtime(int(login.started * 1000))
    result.details.owner, result.details.group = experimenter(login.user), group()
    result.details.permissions = permissions()
    return result


_MAKERS: dict[str, Any] = {
    "Screen": lambda maker: maker.screen,
    "ScreenPlateLink": lambda maker: maker.link,
    "Plate": lambda maker: maker.plate,
    "Well": lambda maker: maker.well,
    "WellSample": lambda maker: maker.well_sample,
    "Image": lambda maker: maker.image,
    "Pixels": lambda maker: maker.pixels,
    "MapAnnotation": lambda maker: maker.annotation,
    "ImageAnnotationLink": lambda maker: maker.image_annotation,
    "WellAnnotationLink": lambda maker: maker.well_annotation,
    "Experimenter": lambda maker: maker.experimenter,
    "ExperimenterGroup": lambda maker: maker.group,
}
_NUMBERS: dict[str, Any] = {
    "Screen": lambda place: place.screen_id,
    "ScreenPlateLink": lambda place: place.plate_id,
    "Plate": lambda place: place.plate_id,
    "Well": lambda place: place.well_id,
    "WellSample": lambda place: place.well_id,
    "Image": lambda place: place.image_id,
    "Pixels": lambda place: place.image_id,
    "MapAnnotation": lambda place: place.row + 1,
    "ImageAnnotationLink": lambda place: place.image_id,
    "WellAnnotationLink": lambda place: place.well_id,
    "Experimenter": lambda place: place.owner.number,
    "ExperimenterGroup": lambda _place: PUBLIC_GROUP_ID,
}
