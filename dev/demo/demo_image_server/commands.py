"""OMERO's commands (delete, change of group, ...): accepted, as by OMERO.server, and answered with an error."""

from typing import Any

import omero
import omero.cmd

from .stateful import Stateful

REFUSED = "the public user may only read"


class RefusedCommand(Stateful):
    """omero.cmd.Handle of a command that was refused."""

    def __init__(self, request: Any) -> None:
        self._request = request

    def getRequest(self) -> Any:
        return self._request

    def getResponse(self) -> Any:
        return omero.cmd.ERR(self._request.ice_id(), "security-violation", {"message": REFUSED})

    def getStatus(self) -> Any:
        return omero.cmd.Status(flags=[omero.cmd.State.FAILURE], currentStep=0, steps=0)

    def addCallback(self, callback: Any) -> None:
        """Do nothing: clients also poll for the response."""

    def removeCallback(self, callback: Any) -> None:
        """Do nothing: no callback was kept."""

    def cancel(self) -> bool:
        return False
