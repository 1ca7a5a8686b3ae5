"""The provider's login at Keystone: user, method and project, by gophercloud's rules."""

from collections.abc import Mapping
from typing import Literal

Method = Literal["password", "token", "application_credential"]
TRUE = frozenset({"1", "t", "true", "yes", "on", "y"})
FALSE = frozenset({"0", "f", "false", "no", "off", "n"})
SCOPES = ("project_id", "project_name", "domain_id", "domain_name", "system_scope")


class ProviderError(Exception):
    """The provider would refuse the settings, or they name no cloud."""


def is_true(value: str | None, otherwise: bool) -> bool:
    """Parse a boolean setting as Go does."""
    return otherwise if value is None else value.lower() in TRUE


def login(known: dict[str, str], auth_type: str, *, may_repeat: bool) -> tuple[Method, dict[str, str]]:
    """Return the login method and its parameters, in gophercloud's order: password, token, application credential."""
    by_credential = any(key.startswith("application_credential") for key in known)
    token = known.get("token")
    if known.get("password") and by_credential and not token:
        msg = (
            "a password and an application credential are both given: the provider would take the password, without "
            "a project; remove one (OS_PASSWORD, OS_APPLICATION_CREDENTIAL_*, or the stack's settings)"
        )
        raise ProviderError(msg)
    scoped = "project_id" in known or "project_name" in known
    domains = _with_domains(known) if by_credential or scoped else known
    scope = {} if by_credential else _scope(domains, scoped=scoped)
    if token:
        if not scope and may_repeat:
            msg = "a token needs its project: give openstack:tenantName or tenantId (OS_PROJECT_NAME, OS_PROJECT_ID)"
            raise ProviderError(msg)
        return "token", {"token": token, **scope}
    if known.get("password") and "token" not in auth_type:
        return "password", {"password": known["password"], **_user(domains), **scope}
    return "application_credential", _credential(domains)


def _with_domains(known: dict[str, str]) -> dict[str, str]:
    """Use the general domain for the user and the project if these have none."""
    values = dict(known)
    for end in ("id", "name"):
        if general := values.pop(f"domain_{end}", None):
            for whose in ("user", "project"):
                values.setdefault(f"{whose}_domain_{end}", general)
    for whose in ("user", "project"):
        if f"{whose}_domain_id" not in values and f"{whose}_domain_name" not in values and "default_domain" in values:
            values[f"{whose}_domain_id"] = values["default_domain"]
    return values


def _scope(known: Mapping[str, str], *, scoped: bool) -> dict[str, str]:
    if not scoped:
        # In clouds.yaml and OS_SYSTEM_SCOPE it is the word "all".
        if known.get("system_scope", "false").lower() not in FALSE:
            return {"system_scope": "all"}
        domain = next((key for key in ("domain_id", "domain_name") if key in known), None)
        return {domain: known[domain]} if domain else {}
    if "project_id" in known:
        return {"project_id": known["project_id"]}
    domain = next((key for key in ("project_domain_id", "project_domain_name") if key in known), None)
    if domain is None:
        msg = "a project's name needs its domain: give openstack:projectDomainName (OS_PROJECT_DOMAIN_NAME), or its id"
        raise ProviderError(msg)
    return {"project_name": known["project_name"], domain: known[domain]}


def _user(known: Mapping[str, str]) -> dict[str, str]:
    domains = {key: known[key] for key in ("user_domain_id", "user_domain_name") if key in known}
    if ("username" in known) == ("user_id" in known):
        msg = "a password needs one user: give either openstack:userName or openstack:userId (OS_USERNAME, OS_USER_ID)"
        raise ProviderError(msg)
    if "user_id" in known:
        if domains:
            shown = " and ".join(f"{key} '{value}'" for key, value in domains.items())
            msg = (
                f"the provider refuses a user's id together with {shown}: give openstack:userName (OS_USERNAME) instead"
            )
            raise ProviderError(msg)
        return {"user_id": known["user_id"]}
    if len(domains) != 1:
        wrong = (
            "both its id and its name are given" if domains else "give openstack:userDomainName (OS_USER_DOMAIN_NAME)"
        )
        msg = f"a user's name needs one domain: {wrong}"
        raise ProviderError(msg)
    return {"username": known["username"], **domains}


def _credential(known: Mapping[str, str]) -> dict[str, str]:
    prefix = "application_credential_"
    parts = {key: value for key, value in known.items() if key.startswith(prefix)}
    if f"{prefix}id" not in parts and f"{prefix}name" not in parts:
        msg = (
            "no credentials for this cloud: source its openrc file, set OS_PASSWORD, OS_TOKEN or an application "
            "credential, or name an entry of clouds.yaml (openstack:cloud or OS_CLOUD)"
        )
        raise ProviderError(msg)
    if f"{prefix}secret" not in parts:
        msg = "an application credential needs openstack:applicationCredentialSecret (OS_APPLICATION_CREDENTIAL_SECRET)"
        raise ProviderError(msg)
    secret = {f"{prefix}secret": parts[f"{prefix}secret"]}
    if f"{prefix}id" in parts:
        return {f"{prefix}id": parts[f"{prefix}id"], **secret}
    return {f"{prefix}name": parts[f"{prefix}name"], **secret, **_owner(known)}


def _owner(known: Mapping[str, str]) -> dict[str, str]:
    """Return the user of an application credential: the name of a credential is unique only for its user."""
    if "user_id" in known:
        return {"user_id": known["user_id"]}
    domain = next((key for key in ("user_domain_id", "user_domain_name") if key in known), None)
    if "username" not in known or domain is None:
        msg = (
            "an application credential's name needs its user: give openstack:userName and userDomainName, or userId "
            "(OS_USERNAME and OS_USER_DOMAIN_NAME, or OS_USER_ID)"
        )
        raise ProviderError(msg)
    return {"username": known["username"], domain: known[domain]}
