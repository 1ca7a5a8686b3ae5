"""The stateless services, as far as an unmodified OMERO.web asks them anything about data that nobody may change."""

import time
from collections.abc import Sequence
from typing import Any

import omero
import omero.grid
import omero.model
import omero.sys
from omero.rtypes import rtime, unwrap

from . import objects
from .catalogue import Catalogue
from .queries import Answerer
from .sessions import Session, Sessions
from .users import GUEST, USERS

OMERO_VERSION = "5.6.0-demo"
"""Clients compare the first two numbers with their own."""
DATABASE_UUID = "demo-image-server"
# OMERO's defaults, of which clients know none.
_CONFIGURATION = {"omero.pixeldata.max_plane_width": "3192", "omero.pixeldata.max_plane_height": "3192"}


class Admin:
    """omero.api.IAdmin: a visitor and the owner of the data, in one group."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def getEventContext(self) -> Any:
        context = omero.sys.EventContext()
        context.sessionId, context.sessionUuid = 1, self._session.uuid
        context.userId, context.userName = self._session.user.number, self._session.user.name
        context.groupId, context.groupName = objects.PUBLIC_GROUP_ID, objects.PUBLIC_GROUP
        context.isAdmin, context.eventId, context.eventType = False, 1, "User"
        context.memberOfGroups = [objects.PUBLIC_GROUP_ID, objects.USER_GROUP_ID]
        context.leaderOfGroups, context.adminPrivileges = [], []
        context.groupPermissions = objects.permissions()
        return context

    def getSecurityRoles(self) -> Any:
        roles = omero.sys.Roles()
        roles.rootId, roles.rootName = 0, "root"
        roles.systemGroupId, roles.systemGroupName = 0, "system"
        roles.userGroupId, roles.userGroupName = objects.USER_GROUP_ID, "user"
        roles.guestId, roles.guestName, roles.guestGroupId, roles.guestGroupName = 1, "guest", 2, "guest"
        return roles

    def getExperimenter(self, number: int) -> Any:
        return self._experimenter(number)

    def lookupExperimenter(self, name: str) -> Any:
        return self._experimenter(name)

    def lookupExperimenters(self) -> list[Any]:
        return [objects.experimenter(user) for user in USERS]

    def containedExperimenters(self, group: int) -> list[Any]:
        return self.lookupExperimenters()

    def _experimenter(self, wanted: int | str) -> Any:
        for user in (*USERS, GUEST):
            if wanted in (user.number, user.name):
                return objects.experimenter(user)
        raise omero.ApiUsageException(None, None, f"the demo has no user {wanted}")

    def getGroup(self, number: int) -> Any:
        return objects.group()

    getDefaultGroup = lookupGroup = getGroup

    def lookupGroups(self) -> list[Any]:
        return [objects.group()]

    def containedGroups(self, experimenter: int) -> list[Any]:
        return [objects.group()]

    def getMemberOfGroupIds(self, experimenter: Any) -> list[int]:
        return [objects.PUBLIC_GROUP_ID, objects.USER_GROUP_ID]

    def getLeaderOfGroupIds(self, experimenter: Any) -> list[int]:
        return []

    def getCurrentAdminPrivileges(self) -> list[Any]:
        return []

    def getAdminPrivileges(self, user: Any) -> list[Any]:
        return []

    def getMyUserPhotos(self) -> list[Any]:
        return []

    def canUpdate(self, item: Any) -> bool:
        return False


class Config:
    """omero.api.IConfig: next to nothing is configured, so clients use their own defaults."""

    def getVersion(self) -> str:
        return OMERO_VERSION

    def getConfigValue(self, key: str) -> str:
        return _CONFIGURATION.get(key, "")

    def getConfigValues(self, pattern: str) -> dict[str, str]:
        return {}

    def getConfigDefaults(self) -> dict[str, str]:
        return {}

    getClientConfigValues = getClientConfigDefaults = getConfigDefaults

    def getDatabaseUuid(self) -> str:
        return DATABASE_UUID

    def getServerTime(self) -> Any:
        return rtime(int(time.time() * 1000))

    getDatabaseTime = getServerTime


class SessionService:
    """omero.api.ISession."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    def getSession(self, uuid: str) -> Any:
        if not (session := self._sessions.use(uuid)):
            raise omero.RemovedSessionException(None, None, "the session is over")
        return objects.session(session, self._sessions.idle_seconds)

    def getReferenceCount(self, uuid: str) -> int:
        return 1 if self._sessions.use(uuid) else 0

    def closeSession(self, session: Any) -> int:
        self._sessions.close(unwrap(session.uuid))
        return 0


class Query:
    """omero.api.IQuery."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def findAllByQuery(self, text: str, parameters: Any) -> list[Any]:
        return self._answers.objects(text, parameters)

    def findByQuery(self, text: str, parameters: Any) -> Any:
        return next(iter(self._answers.objects(text, parameters)), None)

    def projection(self, text: str, parameters: Any) -> list[list[Any]]:
        return self._answers.rows(text, parameters)

    def find(self, kind: str, number: int) -> Any:
        return next(iter(self._answers.by_id(kind, [number])), None)

    def get(self, kind: str, number: int) -> Any:
        if (found := self.find(kind, number)) is None:
            raise omero.ValidationException(None, None, f"the demo has no {kind} {number}")
        return found

    def findAll(self, kind: str, _filter: Any) -> list[Any]:
        return self._answers.all_of(kind)

    @property
    def _answers(self) -> Answerer:
        return Answerer(self._catalogue.places())


class Container:
    """omero.api.IContainer."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def getImages(self, kind: str, numbers: Sequence[int], options: Any) -> list[Any]:
        return self.loadContainerHierarchy(kind, numbers, options) if kind == "Image" else []

    def loadContainerHierarchy(self, kind: str, numbers: Sequence[int], options: Any) -> list[Any]:
        return Answerer(self._catalogue.places()).by_id(kind, numbers)

    def getCollectionCount(self, kind: str, collection: str, numbers: Sequence[int], options: Any) -> dict[int, int]:
        """How many plates the screens have; of other collections nobody asks, or the demo has none."""
        counts = dict.fromkeys(numbers, 0)
        if (kind, collection) == ("Screen", "plateLinks"):
            for place in {place.plate_id: place for place in self._catalogue.places()}.values():
                if place.screen_id in counts:
                    counts[place.screen_id] += 1
        return counts

    def getImagesBySplitFilesets(self, *_question: Any) -> dict[int, Any]:
        return {}


class Metadata:
    """omero.api.IMetadata: annotations are asked for by queries, not here."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def loadChannelAcquisitionData(self, numbers: Sequence[int]) -> list[Any]:
        images = {objects.image_of_channel(number) for number in numbers}
        pixels = Answerer(self._catalogue.places()).by_id("Pixels", sorted(images))
        channels = [channel.logicalChannel for item in pixels for channel in item.copyChannels()]
        return [channel for channel in channels if channel.id.val in numbers]

    def loadAnnotations(self, *_question: Any) -> dict[int, list[Any]]:
        return {}

    loadSpecifiedAnnotationsLinkedTo = loadAnnotations

    def loadSpecifiedAnnotations(self, *_question: Any) -> list[Any]:
        return []

    loadAnnotation = loadTagSets = loadSpecifiedAnnotations

    def countSpecifiedAnnotations(self, *_question: Any) -> Any:
        return omero.rtypes.rlong(0)


class Types:
    """omero.api.ITypes: the few enumerations of a picture."""

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
    """omero.api.IScript: there are no scripts."""

    def getScripts(self) -> list[Any]:
        return []

    def getScriptsByMimetype(self, kind: str) -> list[Any]:
        return []

    def getScriptID(self, path: str) -> int:
        return -1


class RenderingSettings:
    """omero.api.IRenderingSettings: nobody stores any."""


class Pixels:
    """omero.api.IPixels."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def retrievePixDescription(self, number: int) -> Any:
        return next(iter(Answerer(self._catalogue.places()).by_id("Pixels", [number])), None)

    def retrieveAllRndSettings(self, *_question: Any) -> list[Any]:
        return []


class SharedResources:
    """omero.grid.SharedResources: no repositories, no tables, nothing that computes."""

    def repositories(self) -> Any:
        return omero.grid.RepositoryMap([], [])

    def areTablesEnabled(self) -> bool:
        return False


class Unserved:
    """A service whose operations all fail, those that write as forbidden."""
