"""Runs in a user's Python: try to change objects by many methods, and print the result of each as JSON.

write.py HOST
"""

import json
import sys
from collections.abc import Callable

import omero.model
from omero.rtypes import rstring

from idr import connection  # type: ignore[attr-defined]  # idr-py's, not this project's

conn = connection(sys.argv[1], verbose=0)
services = conn.c.sf
project = omero.model.ProjectI()
project.name = rstring("written by a visitor")
image = services.getQueryService().get("Image", 1)
pixels = services.createRawPixelsStore()
pixels.setPixelsId(1, False)
renderer = services.createRenderingEngine()
renderer.lookupPixels(1)

ATTEMPTS = {
    "save": lambda: services.getUpdateService().saveAndReturnObject(project),
    "delete by the service": lambda: services.getUpdateService().deleteObject(image),
    "delete by a command": lambda: conn.deleteObjects("Image", [1], wait=True),
    "another password": lambda: services.getAdminService().changePassword(rstring("other")),
    "another name of oneself": lambda: services.getAdminService().updateSelf(conn.getUser()._obj),
    "another user": lambda: services.getAdminService().createUser(conn.getUser()._obj, "demo"),
    "configuration": lambda: services.getConfigService().setConfigValue("omero.x", "y"),
    "pixels": lambda: pixels.setPlane(b"\0" * 512 * 512, 0, 0, 0),
    "rendering settings": renderer.saveCurrentSettings,
    "a file": lambda: services.createRawFileStore().write(b"x", 0, 1),
    "a script": lambda: services.getScriptService().uploadScript("/x.py", "print()"),
    "an enumeration": lambda: services.getTypesService().createEnumeration(omero.model.FormatI()),
}


def outcome(attempt: Callable[[], object]) -> str:
    """Return the name of the exception that an attempt raises."""
    try:
        attempt()
    except Exception as error:  # noqa: BLE001  # whatever it is, the test says which it must be
        return type(error).__name__
    return "done"


print(json.dumps({what: outcome(attempt) for what, attempt in ATTEMPTS.items()}))
conn.close()
