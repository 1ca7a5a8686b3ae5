"""The settings of the OpenStack provider, read as the provider reads them: the cloud and the identity.

The rules are those of terraform-provider-openstack 3.4 (`configureProvider`), its `auth.Config` and
gophercloud/utils' `clientconfig`. This program's own requests must follow the same rules as the engine's plugin.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from model.login import SCOPES, Method, ProviderError, is_true, login

GetSetting = Callable[[str], Any]
"""Returns a setting of the stack by its name below `openstack:`, or None."""


@dataclass(frozen=True)
class Setting:
    """A setting of the cloud's address or the login: its name, its key in clouds.yaml, its environment variables.

    The first variable that is set is used. `opens` marks credentials that are sufficient alone.
    """

    name: str
    key: str
    variables: tuple[str, ...]
    opens: bool = False


IDENTITY = (
    Setting("authUrl", "auth_url", ("OS_AUTH_URL",)),
    Setting("token", "token", ("OS_TOKEN", "OS_AUTH_TOKEN"), opens=True),
    Setting("userName", "username", ("OS_USERNAME",)),
    Setting("userId", "user_id", ("OS_USER_ID",)),
    Setting("password", "password", ("OS_PASSWORD",), opens=True),
    Setting("tenantId", "project_id", ("OS_TENANT_ID", "OS_PROJECT_ID")),
    Setting("tenantName", "project_name", ("OS_TENANT_NAME", "OS_PROJECT_NAME")),
    Setting("userDomainId", "user_domain_id", ("OS_USER_DOMAIN_ID",)),
    Setting("userDomainName", "user_domain_name", ("OS_USER_DOMAIN_NAME",)),
    Setting("projectDomainId", "project_domain_id", ("OS_PROJECT_DOMAIN_ID",)),
    Setting("projectDomainName", "project_domain_name", ("OS_PROJECT_DOMAIN_NAME",)),
    Setting("domainId", "domain_id", ("OS_DOMAIN_ID",)),
    Setting("domainName", "domain_name", ("OS_DOMAIN_NAME",)),
    Setting("defaultDomain", "default_domain", ("OS_DEFAULT_DOMAIN",)),
    Setting("systemScope", "system_scope", ("OS_SYSTEM_SCOPE",)),
    Setting("applicationCredentialId", "application_credential_id", ("OS_APPLICATION_CREDENTIAL_ID",)),
    Setting("applicationCredentialName", "application_credential_name", ("OS_APPLICATION_CREDENTIAL_NAME",)),
    Setting(
        "applicationCredentialSecret",
        "application_credential_secret",
        ("OS_APPLICATION_CREDENTIAL_SECRET",),
        opens=True,
    ),
)
"""The settings that clouds.yaml has below `auth`. With `cloud` they are read from its entry, then from variables."""

TRANSPORT = (
    Setting("cloud", "cloud", ("OS_CLOUD",), opens=True),
    Setting("region", "region_name", ("OS_REGION_NAME",)),
    Setting("cacertFile", "cacert", ("OS_CACERT",)),
    Setting("cert", "cert", ("OS_CERT",)),
    Setting("key", "key", ("OS_KEY",)),
    Setting("insecure", "verify", ("OS_INSECURE",)),
    Setting("allowReauth", "allow_reauth", ("OS_ALLOW_REAUTH",)),
    # The provider does not read these from clouds.yaml.
    Setting("endpointType", "", ("OS_ENDPOINT_TYPE",)),
    Setting("endpointOverrides", "", ()),
)
"""The connection to the cloud. These settings override an entry of clouds.yaml."""

WITHOUT_EFFECT = frozenset({"delayedAuth", "disableNoCacheHeader", "enableLogging", "swauth"})
"""Settings that change neither the cloud nor the identity."""
REPEATS = "maxRetries"
"""Refused, because the provider would retry any request, also a POST whose response was lost (ADR 25)."""

SETTINGS = {setting.name: setting for setting in (*IDENTITY, *TRANSPORT)}
INSTEAD_OF_SETTINGS = ("OS_IMAGE_ID", "OS_FLAVOR_ID")
"""Variables that override image and flavor of every server. They are refused."""

INTERFACES = {
    "": "public",
    **{f"{name}{ending}": name for name in ("public", "internal", "admin") for ending in ("", "URL")},
}


@dataclass(frozen=True)
class Access:
    """The cloud, the connection and the credentials.

    `auth` has the parameters of `method`, by keystoneauth's names. `overrides` map a service type to an address, or to
    another service type of the catalog.
    """

    auth_url: str
    method: Method
    auth: Mapping[str, str] = field(repr=False)
    region: str | None = None
    interface: str = "public"
    verify: bool = True
    cacert: str | None = None
    cert: str | None = None
    key: str | None = field(default=None, repr=False)
    overrides: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_scoped(self) -> bool:
        """Whether the login names a project, domain or system; otherwise Keystone decides."""
        return self.method == "application_credential" or any(key in self.auth for key in SCOPES)


def has_credentials(get_setting: GetSetting, environment: Mapping[str, str]) -> bool:
    """Return whether this run has credentials for the cloud."""
    return any(_value(setting, get_setting, environment) for setting in SETTINGS.values() if setting.opens)


def access(
    get_setting: GetSetting, environment: Mapping[str, str], entry: Callable[[str, str | None], Mapping[str, Any]]
) -> Access:
    """Return the cloud and the identity that the provider would use.

    `entry` returns an entry of clouds.yaml by name and region. Raises ProviderError if the provider would refuse the
    settings too, or would use something else than they say.
    """
    _refuse_variables(environment)
    _refuse_repeats(get_setting(REPEATS))
    values = {name: _value(setting, get_setting, environment) for name, setting in SETTINGS.items()}
    cloud_entry = entry(str(values["cloud"]), values["region"]) if values["cloud"] else {}
    identity = _identity_of(cloud_entry, environment) if values["cloud"] else _identity(values)
    if not identity.get("auth_url"):
        where = (
            f"the entry '{values['cloud']}' of clouds.yaml has no auth_url" if values["cloud"] else "no cloud is named"
        )
        msg = f"{where}: give openstack:authUrl or openstack:cloud (OS_AUTH_URL, OS_CLOUD)"
        raise ProviderError(msg)
    if not identity["auth_url"].startswith(("http://", "https://")):
        msg = f"the cloud's address '{identity['auth_url']}' (openstack:authUrl, OS_AUTH_URL) must begin with https://"
        raise ProviderError(msg)
    _refuse_version_2(cloud_entry, identity["auth_url"], environment)
    method, auth = login(
        identity, str(cloud_entry.get("auth_type", "")), may_repeat=is_true(values["allowReauth"], True)
    )
    return Access(
        auth_url=identity["auth_url"],
        method=method,
        auth=auth,
        region=values["region"] or _text(cloud_entry.get("region_name")),
        interface=_interface(values["endpointType"]),
        verify=not is_true(values["insecure"], not cloud_entry.get("verify", True)),
        cacert=values["cacertFile"] or _text(cloud_entry.get("cacert")),
        cert=values["cert"] or _text(cloud_entry.get("cert")),
        key=values["key"] or _text(cloud_entry.get("key")),
        overrides=_overrides(values["endpointOverrides"]),
    )


def _value(setting: Setting, get_setting: GetSetting, environment: Mapping[str, str]) -> str | None:
    value = get_setting(setting.name)
    if value is None or value == "":
        return next((environment[name] for name in setting.variables if environment.get(name)), None)
    return json.dumps(value) if isinstance(value, dict) else _text(value)


def _text(value: Any) -> str | None:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if value not in (None, "") else None


def _refuse_variables(environment: Mapping[str, str]) -> None:
    for name in INSTEAD_OF_SETTINGS:
        if environment.get(name):
            msg = f"{name} is set: the provider would make every server from that; run: unset {name}"
            raise ProviderError(msg)


def _refuse_repeats(value: Any) -> None:
    if value and str(value) != "0":
        msg = f"openstack:{REPEATS} is set: a data volume could be created twice; remove it, repeat `pulumi up` instead"
        raise ProviderError(msg)


def _refuse_version_2(cloud_entry: Mapping[str, Any], auth_url: str, environment: Mapping[str, str]) -> None:
    version = environment.get("OS_IDENTITY_API_VERSION") or _text(cloud_entry.get("identity_api_version")) or ""
    if version.startswith("2") or (not version and "v2.0" in auth_url):
        msg = f"version 2 of the identity service ({auth_url}) is not supported: give the address that ends with /v3"
        raise ProviderError(msg)


def _identity(values: Mapping[str, str | None]) -> dict[str, str]:
    identity = {setting.key: value for setting in IDENTITY if (value := values[setting.name])}
    return {"default_domain": "default", **identity}


def _identity_of(cloud_entry: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, str]:
    """Return the identity of an entry of clouds.yaml, completed by environment variables."""
    auth = cloud_entry.get("auth") or {}
    identity = {}
    for setting in IDENTITY:
        # Here the last variable is used, unlike everywhere else.
        variables = [environment[name] for name in setting.variables if environment.get(name)]
        if value := _text(auth.get(setting.key)) or next(reversed(variables), None):
            identity[setting.key] = value
    return identity


def _interface(endpoint_type: str | None) -> str:
    if (endpoint_type or "") not in INTERFACES:
        msg = f"openstack:endpointType '{endpoint_type}' is none of {', '.join(name for name in INTERFACES if name)}"
        raise ProviderError(msg)
    return INTERFACES[endpoint_type or ""]


def _overrides(values: str | None) -> dict[str, str]:
    try:
        services = json.loads(values or "{}")
    except ValueError:
        services = None
    if not isinstance(services, dict):
        msg = "openstack:endpointOverrides must be a mapping of services to addresses, as in {compute: https://...}"
        raise ProviderError(msg)
    return {str(service): str(value) for service, value in services.items() if value}
