"""The cloud's API, reached with the same settings and credentials as the stack's provider."""

import logging
import os
import re
import ssl
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from idr import checkout, clouds_yaml
from idr.errors import IdrError
from idr.waiting import waiting
from model.login import ProviderError
from model.messages import reason
from model.provider import Access, access

if TYPE_CHECKING:
    import openstack
    import requests
    from keystoneauth1.plugin import BaseAuthPlugin
    from keystoneauth1.session import Session

T = TypeVar("T")
CONNECT_SECONDS = 10
ANSWER_SECONDS = 120
RETRIES = 4
"""Repetitions of a request that a busy service refused: at once, after 1 s, 2 s, 4 s, or its Retry-After."""
BUSY = frozenset({429, 503})
REPEATABLE = frozenset({"GET", "HEAD", "POST", "DELETE"})
"""Methods that are repeated: those that are idempotent, and POST, which is only the login here."""
NOT_TOLD = frozenset({400, 403, 404, 405, 410, 501})
"""Statuses of a cloud that does not have the API, or does not allow it to this user."""
WITH_OBJECT = frozenset({200, 201, 300})
"""Statuses of responses that have a JSON object; 300 is that of a list of versions."""
SHARES = "shared_file_system"
"""Manila by openstacksdk's name."""
SERVICES = {
    "compute": ("compute", "2"),
    "identity": ("identity", "3"),
    "image": ("image", "2"),
    "network": ("network", "2"),
    "volumev3": ("block_storage", "3"),
    "sharev2": (SHARES, "2"),
}
"""The provider's names of services, with openstacksdk's and the version that both speak."""

POOL = re.compile(r"HTTPS?ConnectionPool\(.*[)>]: (.*?)[\"']\)\)")
"""urllib3's messages, with the names of its objects; the group is the cause."""

_kept: list[Any] = []
"""Files with certificates that the settings contain. They are deleted when this process ends."""


class CloudError(IdrError):
    """Requests to the cloud fail; the text says why in one line."""


def connect(
    setting: Callable[[str], Any], folder: Path | None = None, *, answer_seconds: float = ANSWER_SECONDS
) -> "openstack.connection.Connection":
    """Connect to the cloud, and as the user, that the stack's provider would use.

    `setting` gives a value of the stack's `openstack:` settings by its name there. Paths are relative to `folder`, or
    to the checkout. Each response may take `answer_seconds`. Raises CloudError where the settings reach no cloud.
    """
    # Slow to import, and not needed by a preview.
    from openstack.config.cloud_region import from_session
    from openstack.connection import Connection

    # Without this it prints a traceback of a failed connection, in addition to this program's message.
    logging.getLogger("keystoneauth").addHandler(logging.NullHandler())
    folder = folder or checkout.folder()
    try:
        wanted = access(setting, os.environ, partial(clouds_yaml.entry, folder=folder))
    except ProviderError as error:
        raise CloudError(str(error)) from None
    session = _session(wanted, folder, answer_seconds)
    config: dict[str, Any] = {"interface": wanted.interface, **_overrides(wanted)}
    return Connection(config=from_session(session, region_name=wanted.region, app_name="idr", **config))


def has_service(cloud: "openstack.connection.Connection", name: str) -> bool:
    """Return whether the cloud's catalogue, or a setting, says where a service is; by openstacksdk's name."""
    from openstack.exceptions import ServiceDisabledException

    try:
        return bool(getattr(cloud, name).get_endpoint())
    except ServiceDisabledException:
        return False


def asking(ask: Callable[[], T]) -> T:
    """Return the result of `ask`.

    Raises CloudError, with advice for the operator, when the cloud refuses or does not answer.
    """
    import keystoneauth1.exceptions as auth
    from openstack.exceptions import SDKException

    try:
        with waiting("the cloud"):
            return ask()
    except auth.http.Unauthorized as error:
        msg = f"the cloud refuses these credentials ({reason(error)}): check openstack:cloud, or OS_*"
    except (auth.ConnectFailure, auth.ConnectTimeout, auth.DiscoveryFailure) as error:
        what = POOL.sub(r"\1", reason(error))
        msg = f"the cloud does not answer: {what}"
    except auth.EndpointNotFound as error:
        msg = f"the cloud has no such service here ({reason(error)}): check openstack:region, or OS_REGION_NAME"
    except (auth.ClientException, SDKException) as error:
        msg = f"the cloud cannot be asked what it has: {reason(error)}"
    raise CloudError(msg)


def answered(ask: Callable[[], T]) -> T:
    """Return the result of `ask`.

    Raises CloudError where the response has another form, because it must not count as an empty list; what `ask` raises
    where the cloud refuses or does not answer.
    """
    try:
        return ask()
    except (LookupError, TypeError, AttributeError) as error:
        # openstacksdk does not check responses, and fails with these where fields are missing.
        msg = f"an answer of the cloud is not what was asked for ({error!r}): try again when the cloud is well"
        raise CloudError(msg) from None


def answer_or_refusal(ask: Callable[[], T]) -> tuple[T, None] | tuple[None, str]:
    """Return the result of `ask`, or None and why this cloud does not report it: it cannot, or not to this user.

    Raises as `answered` where the cloud does not answer at all.
    """
    from keystoneauth1.exceptions import HttpError
    from openstack.exceptions import HttpException

    try:
        return answered(ask), None
    except (HttpException, HttpError) as error:
        status = error.status_code if isinstance(error, HttpException) else error.http_status
        if status not in NOT_TOLD:
            raise
        return None, reason(str(error))


def _session(wanted: Access, folder: Path, answer_seconds: float) -> "Session":
    import requests
    import urllib3
    from keystoneauth1.session import Session
    from requests.adapters import HTTPAdapter

    class Impatient(HTTPAdapter):
        """Sets a time-out for a cloud that does not respond; the default is to wait for ever."""

        def send(self, *args: Any, **kwargs: Any) -> requests.Response:
            return super().send(*args, **{**kwargs, "timeout": (min(CONNECT_SECONDS, answer_seconds), answer_seconds)})

    http = requests.Session()
    http.hooks["response"].append(_require_whole)
    # With a short time-out, a cloud that does not respond is tried only once.
    lost = 1 if answer_seconds >= ANSWER_SECONDS else 0
    again = urllib3.util.Retry(
        RETRIES,
        connect=lost,
        read=lost,
        backoff_factor=0.5,
        status_forcelist=BUSY,
        allowed_methods=REPEATABLE,
        raise_on_status=False,
    )
    for scheme in ("http://", "https://"):
        http.mount(scheme, Impatient(max_retries=again))
    trusted = _file("cacertFile", wanted.cacert, folder) if wanted.cacert else _trusted_by_system()
    if not wanted.verify:
        # Otherwise urllib3 would warn at each request of a stack with `insecure`.
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    certificate = None
    if wanted.cert and wanted.key:
        certificate = (_file("cert", wanted.cert, folder), _file("key", wanted.key, folder))
    session = Session(session=http, verify=trusted if wanted.verify else False, cert=certificate)
    session.auth = _login(wanted, session)
    return session


def _require_whole(response: "requests.Response", **_: Any) -> None:
    """Refuse a response that is no JSON object, such as a part of one or a gateway's page. openstacksdk would crash."""
    import requests

    if response.status_code not in WITH_OBJECT or response.request.method not in ("GET", "POST"):
        return
    try:
        document = response.json()
    except ValueError:
        document = None
    if not isinstance(document, dict):
        msg = "the answer is no JSON object, or only a part of one"
        raise requests.exceptions.ContentDecodingError(msg)


def _login(wanted: Access, session: "Session") -> "BaseAuthPlugin":
    from keystoneauth1.identity import v3

    if wanted.method == "token" and not wanted.is_scoped:
        return _as_it_is(wanted, session)
    methods = {"password": v3.Password, "token": v3.Token, "application_credential": v3.ApplicationCredential}
    plugin: BaseAuthPlugin = methods[wanted.method](auth_url=wanted.auth_url, **wanted.auth)
    return plugin


def _as_it_is(wanted: Access, session: "Session") -> "BaseAuthPlugin":
    """Log in with a token that has its project already: Keystone validates it, and issues no other one."""
    from keystoneauth1 import access as tokens
    from keystoneauth1.identity.access import AccessInfoPlugin

    token = wanted.auth["token"]
    url = wanted.auth_url.rstrip("/").removesuffix("/v3") + "/v3/auth/tokens"
    headers = {"X-Auth-Token": token, "X-Subject-Token": token}
    answer = asking(lambda: session.get(url, headers=headers, authenticated=False))
    return AccessInfoPlugin(tokens.create(resp=answer, auth_token=token), auth_url=wanted.auth_url)


def _trusted_by_system() -> str | bool:
    # As Go does: the system's certificates, not those of the Python package certifi.
    paths = ssl.get_default_verify_paths()
    if paths.cafile:
        return paths.cafile
    has_any = paths.capath and any(Path(paths.capath).iterdir())
    return paths.capath if has_any and paths.capath else True


def _file(name: str, given: str, folder: Path) -> str:
    """Return the file that a setting names; if the setting is a certificate itself, a new file with it."""
    path = folder / Path(given).expanduser()
    if "-----BEGIN" not in given:
        if not path.is_file():
            msg = f"openstack:{name}: there is no file {path}"
            raise CloudError(msg)
        return str(path)
    file = tempfile.NamedTemporaryFile("w", suffix=".pem")  # noqa: SIM115  # kept open: it is deleted when closed
    file.write(given)
    file.flush()
    _kept.append(file)
    return file.name


def _overrides(wanted: Access) -> dict[str, str]:
    """Return the provider's endpointOverrides as openstacksdk's settings, for the services that this program uses."""
    settings: dict[str, str] = {}
    for service, value in wanted.overrides.items():
        if service not in SERVICES:
            continue
        name, version = SERVICES[service]
        if "://" in value:
            settings |= {f"{name}_endpoint_override": value.rstrip("/"), f"{name}_api_version": version}
        else:
            settings[f"{name}_service_type"] = value
    return settings
