"""The accounts of the stand-in: OMERO's tables, and an administrator's service that changes them."""

import base64
import hashlib
from dataclasses import dataclass
from typing import Any

import omero
import omero.model
import omero.sys
from omero.rtypes import rstring

from stand_in.configuration import connect

ROOT, GUEST = 0, 1
PRIVILEGES = ["ModifyGroup", "ModifyGroupMembership", "ModifyUser"]


@dataclass(frozen=True)
class Account:
    """A user who has logged in."""

    number: int
    name: str


class Accounts:
    """The accounts in the database. Each call queries it: passwords change in it while the server runs."""

    def __init__(self, config: dict[str, str]) -> None:
        self._config = config

    def ask(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Run a statement in a transaction of its own."""
        connection = connect(self._config)
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(statement, values)
                return list(cursor) if cursor.description else []
        finally:
            connection.close()

    def account(self, user: str, password: str) -> Account | None:
        """Return the account of a user, or None if the password is wrong."""
        for number, stored in self.ask(
            "select id, hash from experimenter join password on experimenter_id = id where omename = %s", user
        ):
            words = f"{password} {number}".encode()
            given = base64.b64encode(hashlib.md5(words).digest()).decode()  # noqa: S324  # as OMERO's own
            # OMERO lets the guest log in with an empty hash, and nobody else. A user without a hash cannot log in.
            if stored == given or (number, stored) == (GUEST, ""):
                return Account(int(number), user)
        return None


class Administrator:
    """omero.api.IAdmin, as far as `omero group add` and `omero user add` ask it."""

    def __init__(self, accounts: Accounts, session: str) -> None:
        self._accounts, self._session = accounts, session

    def getEventContext(self) -> Any:
        context = omero.sys.EventContext()
        context.sessionId, context.sessionUuid = 1, self._session
        context.userId, context.userName, context.groupId, context.groupName = ROOT, "root", 0, "system"
        context.isAdmin, context.eventId, context.eventType = True, 1, "User"
        context.memberOfGroups, context.leaderOfGroups, context.adminPrivileges = [0, 1], [], PRIVILEGES
        context.groupPermissions = omero.model.PermissionsI("rw----")
        return context

    def getSecurityRoles(self) -> Any:
        roles = omero.sys.Roles()
        roles.rootId, roles.rootName, roles.systemGroupId, roles.systemGroupName = ROOT, "root", 0, "system"
        roles.userGroupId, roles.userGroupName = 1, "user"
        roles.guestId, roles.guestName, roles.guestGroupId, roles.guestGroupName = 1, "guest", 2, "guest"
        return roles

    def lookupGroup(self, name: str) -> Any:
        number = self._one("select id from experimentergroup where name = %s", name, f"no group {name}")
        group = omero.model.ExperimenterGroupI(number, True)
        group.name = rstring(name)
        return group

    def lookupExperimenter(self, name: str) -> Any:
        number = self._one("select id from experimenter where omename = %s", name, f"no user {name}")
        user = omero.model.ExperimenterI(number, True)
        user.omeName = rstring(name)
        return user

    def createGroup(self, group: Any) -> int:
        return self._insert(
            "insert into experimentergroup select max(id) + 1, %s, %s from experimentergroup returning id",
            group.name.val,
            str(group.details.permissions),
        )

    def createExperimenterWithPassword(self, user: Any, password: Any, group: Any, groups: list[Any]) -> int:
        if not password.val:
            raise omero.SecurityViolation(None, None, "the password must not be empty")
        number = self._insert(
            "insert into experimenter select max(id) + 1, %s, %s, %s from experimenter returning id",
            user.omeName.val,
            user.firstName.val,
            user.lastName.val,
        )
        self._accounts.ask("insert into password values (%s, 'not yet known')", number)
        for membership in (group, *groups):
            self._accounts.ask("insert into groupexperimentermap values (%s, %s)", membership.id.val, number)
        return number

    def createExperimenter(self, user: Any, group: Any, groups: list[Any]) -> int:
        raise omero.SecurityViolation(None, None, "omero.security.password_required is true")

    def _one(self, statement: str, name: str, missing: str) -> int:
        for (number,) in self._accounts.ask(statement, name):
            return int(number)
        raise omero.ApiUsageException(None, None, missing)

    def _insert(self, statement: str, *values: Any) -> int:
        return int(self._accounts.ask(statement, *values)[0][0])
