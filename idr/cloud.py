"""The cloud's API with the credentials that a stack's provider uses."""

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from idr.errors import IdrError

if TYPE_CHECKING:
    import openstack

# Pulumi's names of the provider's settings, and openstacksdk's.
PROVIDER_SETTINGS = {
    "authUrl": "auth_url",
    "userName": "username",
    "password": "password",
    "tenantName": "project_name",
    "tenantId": "project_id",
    "userDomainName": "user_domain_name",
    "userDomainId": "user_domain_id",
    "projectDomainName": "project_domain_name",
    "projectDomainId": "project_domain_id",
    "applicationCredentialId": "application_credential_id",
    "applicationCredentialSecret": "application_credential_secret",
}


class CloudError(IdrError):
    """The cloud cannot be asked; the text says why in one line."""


def connect(setting: Callable[[str], str | None]) -> "openstack.connection.Connection":
    """A connection by `openstack:cloud`, else by `openstack:authUrl` and its kin, else by OS_* and clouds.yaml.

    `setting` gives a value of the stack's `openstack:` settings by its name there.
    """
    # Slow to import, and not needed by a preview.
    import openstack

    # It would print a failed connection's traceback beside the line that says what is wrong.
    logging.getLogger("keystoneauth").addHandler(logging.NullHandler())
    if cloud := setting("cloud"):
        return openstack.connect(cloud=cloud)
    given = {sdk: setting(name) for name, sdk in PROVIDER_SETTINGS.items()}
    auth: dict[str, Any] = {name: value for name, value in given.items() if value}
    # With an address alone, who asks is told by OS_USERNAME and its kin.
    if "auth_url" in auth and len(auth) > 1:
        return openstack.connect(load_yaml_config=False, load_envvars=False, auth=auth, region_name=setting("region"))
    return openstack.connect(**auth)


def asking(ask: Callable[[], Any]) -> Any:
    """The result of `ask`. Raises CloudError, in the operator's words, when the cloud refuses or does not answer."""
    import keystoneauth1.exceptions as auth
    from openstack.exceptions import SDKException

    try:
        return ask()
    except auth.http.Unauthorized:
        msg = "the cloud refuses these credentials: check openstack:cloud, or OS_*"
    except (auth.ConnectFailure, auth.DiscoveryFailure) as error:
        msg = f"the cloud does not answer: {_first_line(error)}"
    except (auth.ClientException, SDKException) as error:
        msg = f"the cloud cannot be asked what it has: {_first_line(error)}"
    except Exception as error:
        # keystoneauth says that a password is missing with a bare Exception.
        if type(error) is not Exception:
            raise
        msg = f"no credentials for this cloud ({_first_line(error)}): give openstack:cloud, or OS_*"
    raise CloudError(msg)


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]
