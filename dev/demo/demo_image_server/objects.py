"""OMERO's objects, built from entries of the catalogue."""

from typing import Any

import omero
import omero.model
import omero.model.enums
from omero.rtypes import rbool, rdouble, rint, rlong, rmap, rstring, rtime

from .catalogue import GENE_KEY, GENE_NAMESPACE, Entry
from .drawing import CHANNELS, COLUMNS, ROWS, SIZE
from .sessions import Session
from .users import USERS, User

PUBLIC_GROUP_ID, USER_GROUP_ID = 3, 1
PUBLIC_GROUP = "demo"
PERMISSIONS = "rwr---"
PIXEL_MICROMETRES = 0.65
_RESTRICTIONS = ("canAnnotate", "canDelete", "canEdit", "canLink", "canChgrp", "canChown")
_NO_DOWNLOAD = "RESTRICT-BINARY-ACCESS"
"""The restriction that OMERO.server adds for `omero.policy.binary_access`, as this project sets it."""


def permissions() -> Any:
    """Return the permissions of every object: everybody reads, nobody changes."""
    result = omero.model.PermissionsI(PERMISSIONS)
    result._restrictions = [True] * len(_RESTRICTIONS)
    result._extendedRestrictions = [_NO_DOWNLOAD]
    return result


def permissions_map() -> Any:
    """Return the same as OMERO's result of `new map(image as image_details_permissions)`."""
    denied = {name: rbool(False) for name in _RESTRICTIONS}
    return rmap({"perm": rstring(PERMISSIONS), **denied})


def group() -> Any:
    """Return the only group, with all users."""
    result = _bare_group()
    result._groupExperimenterMapSeq = [_membership(result, _bare_experimenter(user), user) for user in USERS]
    return result


def experimenter(user: User) -> Any:
    """Return a user with the membership in the only group."""
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


class ObjectBuilder:
    """Builds the objects of one result. Each is built once, so one that several objects refer to is sent once."""

    def __init__(self, owner: User) -> None:
        self._built: dict[tuple[str, int], Any] = {}
        self._group, self._owner = group(), experimenter(owner)

    def build(self, kind: str, entry: Entry) -> Any:
        """Return the object of class `kind` for an entry."""
        build, number = _BUILDERS[kind](self), _IDS[kind](entry)
        key = (kind, number)
        if key not in self._built:
            self._built[key] = build(entry)
        return self._built[key]

    def _new(self, kind: str, number: int, acquired: int) -> Any:
        result = getattr(omero.model, f"{kind}I")(number, True)
        self._built[kind, number] = result  # before it is complete, because objects refer to each other
        result.details.owner, result.details.group = self._owner, self._group
        result.details.permissions = permissions()
        event = omero.model.EventI(1, True)
        event.time = rtime(acquired)
        result.details.creationEvent = result.details.updateEvent = event
        return result

    def group(self, entry: Entry) -> Any:
        """Return the group."""
        del entry
        return self._group

    def experimenter(self, entry: Entry) -> Any:
        """Build the owner of an entry."""
        return experimenter(entry.owner)

    def screen(self, entry: Entry) -> Any:
        """Build a screen, without its plates."""
        screen = self._new("Screen", entry.screen_id, entry.acquired)
        screen.name, screen.description = rstring(entry.screen_name), rstring(entry.screen_description)
        return screen

    def link(self, entry: Entry) -> Any:
        """Build the link from a screen to its plate."""
        link = self._new("ScreenPlateLink", entry.plate_id, entry.acquired)
        link.parent, link.child = self.build("Screen", entry), self.build("Plate", entry)
        return link

    def plate(self, entry: Entry) -> Any:
        """Build a plate with its screen, without its wells."""
        plate = self._new("Plate", entry.plate_id, entry.acquired)
        plate.name, plate.description = rstring(entry.plate_name), rstring(entry.plate_description)
        plate.rows, plate.columns = rint(ROWS), rint(COLUMNS)
        plate.rowNamingConvention, plate.columnNamingConvention = rstring("letter"), rstring("number")
        plate.defaultSample = rint(0)
        plate.addScreenPlateLink(self.build("ScreenPlateLink", entry))
        return plate

    def well(self, entry: Entry) -> Any:
        """Build a well with its only field and the image of that."""
        well = self._new("Well", entry.well_id, entry.acquired)
        well.row, well.column = rint(entry.row), rint(entry.column)
        well.plate = self.build("Plate", entry)
        well.addWellSample(self.build("WellSample", entry))
        return well

    def well_sample(self, entry: Entry) -> Any:
        """Build the field of a well."""
        sample = self._new("WellSample", entry.well_id, entry.acquired)
        sample.well, sample.image = self.build("Well", entry), self.build("Image", entry)
        return sample

    def image(self, entry: Entry) -> Any:
        """Build an image with its pixels."""
        image = self._new("Image", entry.image_id, entry.acquired)
        image.name = rstring(entry.image_name)
        image.description = rstring("Made on the spot by the demo image server; not IDR data.")
        image.acquisitionDate, image.archived = rtime(entry.acquired), rbool(False)
        image.addPixels(self.build("Pixels", entry))
        return image

    def pixels(self, entry: Entry) -> Any:
        """Build the pixels of an image, with both channels."""
        pixels = self._new("Pixels", entry.image_id, entry.acquired)
        pixels.image = self.build("Image", entry)
        pixels.sizeX = pixels.sizeY = rint(SIZE)
        pixels.sizeZ = pixels.sizeT = rint(1)
        pixels.sizeC, pixels.significantBits = rint(len(CHANNELS)), rint(8)
        pixels.dimensionOrder, pixels.pixelsType = enumeration("DimensionOrder", "XYZCT"), pixels_type()
        edge = omero.model.LengthI(PIXEL_MICROMETRES, omero.model.enums.UnitsLength.MICROMETER)
        pixels.physicalSizeX = pixels.physicalSizeY = edge
        for index, name in enumerate(CHANNELS):
            pixels.addChannel(self._channel(entry, index, name))
        return pixels

    def annotation(self, entry: Entry) -> Any:
        """Build the map annotation with the gene of an entry."""
        annotation = self._new("MapAnnotation", entry.row + 1, entry.acquired)
        annotation.ns = rstring(GENE_NAMESPACE)
        annotation.setMapValue([omero.model.NamedValue(GENE_KEY, entry.gene)])
        return annotation

    def image_annotation(self, entry: Entry) -> Any:
        """Build the link from an image to its annotation."""
        link = self._new("ImageAnnotationLink", entry.image_id, entry.acquired)
        link.parent, link.child = self.build("Image", entry), self.build("MapAnnotation", entry)
        return link

    def well_annotation(self, entry: Entry) -> Any:
        """Build the link from a well to its annotation."""
        link = self._new("WellAnnotationLink", entry.well_id, entry.acquired)
        link.parent, link.child = self.build("Well", entry), self.build("MapAnnotation", entry)
        return link

    def _channel(self, entry: Entry, index: int, name: str) -> Any:
        number = (entry.image_id - 1) * len(CHANNELS) + index + 1  # see image_of_channel
        channel = self._new("Channel", number, entry.acquired)
        logical = self._new("LogicalChannel", number, entry.acquired)
        logical.name, channel.logicalChannel = rstring(name), logical
        channel.statsInfo = omero.model.StatsInfoI(number, True)
        channel.statsInfo.globalMin, channel.statsInfo.globalMax = rdouble(0), rdouble(255)
        return channel


def image_of_channel(number: int) -> int:
    """Return the id of the image that a channel belongs to."""
    return (number - 1) // len(CHANNELS) + 1


def enumeration(kind: str, value: str, number: int = 1) -> Any:
    """Return a value of one of OMERO's enumerations."""
    result = getattr(omero.model, f"{kind}I")(number, True)
    result.value = rstring(value)
    return result


def pixels_type() -> Any:
    """Return the type of the pixels: eight bits a channel."""
    result = enumeration("PixelsType", "uint8")
    result.bitSize = rint(8)
    return result


def session(login: Session, idle_seconds: float) -> Any:
    """Return a session as OMERO's object."""
    result = omero.model.SessionI(1, True)
    result.uuid, result.userAgent = rstring(login.uuid), rstring("demo")
    result.timeToIdle, result.timeToLive = rlong(int(idle_seconds * 1000)), rlong(0)
    result.started = rtime(int(login.started * 1000))
    result.details.owner, result.details.group = experimenter(login.user), group()
    result.details.permissions = permissions()
    return result


_BUILDERS: dict[str, Any] = {
    "Screen": lambda builder: builder.screen,
    "ScreenPlateLink": lambda builder: builder.link,
    "Plate": lambda builder: builder.plate,
    "Well": lambda builder: builder.well,
    "WellSample": lambda builder: builder.well_sample,
    "Image": lambda builder: builder.image,
    "Pixels": lambda builder: builder.pixels,
    "MapAnnotation": lambda builder: builder.annotation,
    "ImageAnnotationLink": lambda builder: builder.image_annotation,
    "WellAnnotationLink": lambda builder: builder.well_annotation,
    "Experimenter": lambda builder: builder.experimenter,
    "ExperimenterGroup": lambda builder: builder.group,
}
_IDS: dict[str, Any] = {
    "Screen": lambda entry: entry.screen_id,
    "ScreenPlateLink": lambda entry: entry.plate_id,
    "Plate": lambda entry: entry.plate_id,
    "Well": lambda entry: entry.well_id,
    "WellSample": lambda entry: entry.well_id,
    "Image": lambda entry: entry.image_id,
    "Pixels": lambda entry: entry.image_id,
    "MapAnnotation": lambda entry: entry.row + 1,
    "ImageAnnotationLink": lambda entry: entry.image_id,
    "WellAnnotationLink": lambda entry: entry.well_id,
    "Experimenter": lambda entry: entry.owner.number,
    "ExperimenterGroup": lambda _current: PUBLIC_GROUP_ID,
}
