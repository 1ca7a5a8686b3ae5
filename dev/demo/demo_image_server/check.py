"""A check of a running server, with a client's login and query."""

import Glacier2
import Ice
import omero
import omero.all
import omero.sys

from .settings import Settings
from .users import LOGINS

TIMEOUT_MILLISECONDS = 5000


class CheckError(Exception):
    """The server does not work; the message says why."""


def count_images(settings: Settings) -> int:
    """Return how many images a user can read. Raise CheckError."""
    host = "127.0.0.1" if settings.address in ("0.0.0.0", "::") else settings.address  # noqa: S104 (compared, not bound)
    timeout = str(TIMEOUT_MILLISECONDS)
    client = omero.client(
        {
            "omero.host": host,
            "omero.port": str(settings.port),
            "Ice.Override.Timeout": timeout,
            "Ice.Override.ConnectTimeout": timeout,
        }
    )
    try:
        session = client.createSession(LOGINS[0].name, settings.public_password_file.read_text().strip())
        rows = session.getQueryService().projection("select count(obj) from Image obj", omero.sys.ParametersI())
        images = int(rows[0][0].val)
        client.killSession()
    except Glacier2.PermissionDeniedException as error:
        raise CheckError(f"the password of the user {LOGINS[0].name} was refused") from error
    except omero.ServerError as error:
        raise CheckError(error.message) from error
    except (Ice.Exception, omero.ClientError) as error:
        raise CheckError(f"{host}:{settings.port} does not answer: {type(error).__name__}") from error
    finally:
        client.closeSession()
    if images == 0:
        raise CheckError("the catalogue is empty")
    return images
