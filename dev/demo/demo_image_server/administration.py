"""The stateless services for accounts, configuration and sessions."""

import time
from typing import Any

import omero
import omero.sys
from omero.rtypes import rtime, unwrap

from . import objects
from .sessions import Session, Sessions
from .users import GUEST, USERS

OMERO_VERSION = "5.6.0-demo"
"""Clients compare the first two numbers with their own version."""
DATABASE_UUID = "demo-image-server"
# OMERO's defaults. Clients have none of their own for these two.
_CONFIGURATION = {"omero.pixeldata.max_plane_width": "3192", "omero.pixeldata.max_plane_height": "3192"}


class Admin:
    """omero.api.IAdmin: the users of the demo, in one group."""

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

    def _experimenter(self, key: int | str) -> Any:
        for user in (*USERS, GUEST):
            if key in (user.number, user.name):
                return objects.experimenter(user)
        raise omero.ApiUsageException(None, None, f"the demo has no user {key}")

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
    """omero.api.IConfig: almost no values, so clients use their own defaults."""

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
