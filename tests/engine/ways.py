"""Ways to name a cloud and an account: the result of each, and those with which nobody can log in."""

import json
from dataclasses import dataclass, field
from typing import Any

from tests.fake_cloud.cloud import SECRET

AUTH = "<Keystone's address>"
ROOT = "<the cloud's address>"
CREDENTIAL = {"application_credential_id": "a1", "application_credential_secret": SECRET}
NAMED = {"application_credential_name": "deploy", "application_credential_secret": SECRET}
USER = {"username": "nina", "password": SECRET, "user_domain_name": "Default"}
PROJECT = {"project_name": "idr", "project_domain_name": "Default"}
PERSON = {"OS_USERNAME": "nina", "OS_PASSWORD": SECRET, "OS_USER_DOMAIN_NAME": "Default"}
MINE = {"userName": "nina", "password": SECRET}
WITH_ID = {"applicationCredentialId": "a1", "applicationCredentialSecret": SECRET}
WITH_NAME = {"applicationCredentialName": "deploy", "applicationCredentialSecret": SECRET}
OPENRC = {**PERSON, "OS_PROJECT_NAME": "idr", "OS_PROJECT_DOMAIN_NAME": "Default"}


@dataclass(frozen=True)
class Way:
    """One way to name cloud and account: settings, variables, an entry `here` of clouds.yaml, more files.

    AUTH stands for Keystone's address, ROOT for the cloud's.
    """

    settings: dict[str, str] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    entry: dict[str, Any] | None = None
    files: dict[str, Any] = field(default_factory=dict)


def at(**settings: str) -> dict[str, str]:
    return {"authUrl": AUTH, **settings}


def cloud(entry: dict[str, Any], settings: dict[str, str] | None = None, **variables: str) -> Way:
    return Way({"cloud": "here", **(settings or {})}, variables, {"region_name": "two", **entry})


def auth(**values: str) -> dict[str, Any]:
    return {"auth": {"auth_url": AUTH, **values}}


MERGED = f"""
all: &all {{auth_url: {AUTH}, project_name: idr, project_domain_name: Default}}
clouds:
  here:
    auth: {{<<: *all, username: nina, password: {SECRET}, user_domain_name: Default}}\t# behind a tab
    region_name: ~
"""
EMPTY = "    verify:\n    cacert: ~\n"
WAYS = {
    "openrc": Way(variables={"OS_AUTH_URL": AUTH, **OPENRC}),
    "address in the stack, the rest in variables": Way(at(), OPENRC),
    "address without version": Way({"authUrl": f"{ROOT}/identity"}, OPENRC),
    "project by id": Way(at(), {**PERSON, "OS_PROJECT_ID": "p1"}),
    "project by the old names of variables": Way(at(), {**OPENRC, "OS_TENANT_NAME": "older", "OS_TENANT_ID": "t1"}),
    "project's domain by id": Way(at(), {**PERSON, "OS_PROJECT_NAME": "idr", "OS_PROJECT_DOMAIN_ID": "d1"}),
    "both ids and names": Way(at(), {**OPENRC, "OS_PROJECT_ID": "p1", "OS_PROJECT_DOMAIN_ID": "d1"}),
    "no domains": Way(at(**MINE, tenantName="idr")),
    "another default domain": Way(at(**MINE, tenantName="idr", defaultDomain="d9")),
    "default domain in a variable": Way(at(), {"OS_DEFAULT_DOMAIN": "d8", "OS_USERNAME": "nina", "OS_PASSWORD": SECRET,
                                               "OS_PROJECT_NAME": "idr"}),
    "one domain for both": Way(at(**MINE, tenantName="idr", domainName="Default")),
    "one domain's id for both": Way(at(**MINE, tenantName="idr", domainId="d1")),
    "settings before variables": Way(
        at(userName="mine", tenantName="mine", region="two"), {**OPENRC, "OS_REGION_NAME": "one"}
    ),
    "region in the stack, openrc": Way(at(region="two"), OPENRC),
    "region in a variable": Way(at(), {**OPENRC, "OS_REGION_NAME": "two"}),
    "a region that is not there": Way(at(region="three"), OPENRC),
    "user's id with the default domain": Way(at(userId="u1", password=SECRET, tenantId="p1")),
    "user's id without scope": Way(at(userId="u1", password=SECRET)),
    "user's name and id": Way(at(userId="u1", **MINE, tenantName="idr")),
    "both domains of the user": Way(at(userDomainName="a", userDomainId="b", **MINE)),
    "no user": Way(at(password=SECRET, tenantName="idr")),
    "domain scope": Way(at(**MINE, userDomainName="Default", domainId="d1")),
    "system scope": Way(at(**MINE, userDomainName="Default", systemScope="true")),
    "wrong password": Way(at(**{**MINE, "password": "not this"}, tenantName="idr")),
    "application credential by id": Way(at(**WITH_ID)),
    "application credential in variables": Way(
        at(), {"OS_APPLICATION_CREDENTIAL_ID": "a1", "OS_APPLICATION_CREDENTIAL_SECRET": SECRET}
    ),
    "application credential in the stack, its secret in a variable": Way(
        at(applicationCredentialId="a1"), {"OS_APPLICATION_CREDENTIAL_SECRET": SECRET}
    ),
    "application credential by name": Way(
        at(**WITH_NAME, userName="nina", userDomainName="Default")
    ),
    "application credential by name and user's id": Way(
        at(**WITH_NAME, userId="u1")
    ),
    "application credential beside a project": Way(
        at(**WITH_ID, tenantName="idr"), {"OS_USERNAME": "nina"}
    ),
    "application credential by name without a user": Way(at(**WITH_NAME)),
    "application credential without its secret": Way(at(applicationCredentialId="a1")),
    "application credential and password": Way(at(**WITH_ID), OPENRC),
    "token": Way(at(token=SECRET, tenantId="p1")),
    "token in a variable": Way(at(), {"OS_TOKEN": SECRET, "OS_PROJECT_NAME": "idr"}),
    "token by its other variable": Way(at(), {"OS_AUTH_TOKEN": SECRET, "OS_PROJECT_ID": "p1"}),
    "token before password": Way(at(token=SECRET), OPENRC),
    "token without project": Way(at(token=SECRET)),
    "token as it is": Way(at(token=SECRET, allowReauth="false")),
    "nothing": Way(at()),
    "no address": Way({}, OPENRC),
    "identity version 2": Way({"authUrl": f"{ROOT}/identity/v2.0"}, OPENRC),
    "internal endpoints": Way(at(endpointType="internalURL"), OPENRC),
    "internal endpoints in a variable": Way(at(), {**OPENRC, "OS_ENDPOINT_TYPE": "internal"}),
    "an endpoint type that is none": Way(at(endpointType="private"), OPENRC),
    "another address for the network": Way(
        at(endpointOverrides=json.dumps({"network": f"{ROOT}/two/admin/network/v2.0/"})), OPENRC
    ),
    "clouds.yaml": cloud(auth(**USER, **PROJECT)),
    "clouds.yaml by a variable": Way({}, {"OS_CLOUD": "here"}, auth(**USER, **PROJECT)),
    "clouds.yaml, region in the stack": cloud(auth(**USER, **PROJECT), {"region": "one"}),
    "clouds.yaml, region in a variable": cloud(auth(**USER, **PROJECT), OS_REGION_NAME="one"),
    "clouds.yaml, other credentials in the stack": cloud(
        auth(**USER, **PROJECT), {"userName": "other", "tenantName": "other"}
    ),
    "clouds.yaml, the password in a variable": cloud(
        auth(username="nina", user_domain_name="Default", **PROJECT), OS_PASSWORD=SECRET, OS_USERNAME="other"
    ),
    "clouds.yaml, two variables": cloud(auth(**USER), OS_TENANT_ID="t1", OS_PROJECT_ID="p1"),
    "clouds.yaml, user's id": cloud(auth(user_id="u1", password=SECRET, project_id="p1")),
    "clouds.yaml, application credential": cloud(auth(**CREDENTIAL)),
    "clouds.yaml, application credential with its type": cloud(
        {**auth(**CREDENTIAL), "auth_type": "v3applicationcredential"}
    ),
    "clouds.yaml, application credential by name": cloud(auth(**NAMED, username="nina", user_domain_name="Default")),
    "clouds.yaml, token": cloud({**auth(token=SECRET, project_id="p1"), "auth_type": "token"}),
    "clouds.yaml, token type without a token": cloud({**auth(**USER, **PROJECT), "auth_type": "v3token"}),
    "clouds.yaml, no domains": cloud(auth(username="nina", password=SECRET, project_name="idr")),
    "clouds.yaml, no address": cloud({"auth": {**USER, **PROJECT}}),
    "clouds.yaml, interface is not read": cloud({**auth(**USER, **PROJECT), "interface": "internal"}),
    "clouds.yaml, a project that looks like a number": cloud({"auth": {"auth_url": AUTH, **USER, "project_id": 7}}),
    "clouds.yaml, a region's own values": cloud(
        {**auth(**USER, **PROJECT), "regions": [{"name": "one", "values": {"auth": {"project_name": "ones"}}}]},
        {"region": "one"},
    ),
    "clouds.yaml, a profile": Way(
        {"cloud": "here"},
        {},
        {"profile": "ours", "auth": {**USER, **PROJECT}},
        {"clouds-public.yaml": {"public-clouds": {"ours": {"region_name": "two", "auth": {"auth_url": AUTH}}}}},
    ),
    "clouds.yaml, a profile that is not there": cloud({**auth(**USER, **PROJECT), "profile": "theirs"}),
    "clouds.yaml and secure.yaml": Way(
        {"cloud": "here"},
        {},
        auth(username="nina", user_domain_name="Default", **PROJECT),
        {"secure.yaml": {"clouds": {"here": {"auth": {"password": SECRET}}}}},
    ),
    "clouds.yaml elsewhere": Way(
        {"cloud": "there"},
        {"OS_CLIENT_CONFIG_FILE": "elsewhere.yaml"},
        auth(**USER),
        {"elsewhere.yaml": {"clouds": {"there": auth(**USER, **PROJECT)}}},
    ),
    "clouds.yaml, with a merge": Way({"cloud": "here"}, {}, None, {"clouds.yaml": MERGED}),
    "clouds.yaml, empty keys": Way({"cloud": "here"}, {}, None, {"clouds.yaml": f"{MERGED}{EMPTY}"}),
    "clouds.yaml, auth is text": cloud({"auth": AUTH}),
    "clouds.yml": Way({"cloud": "here"}, {}, None, {"clouds.yml": {"clouds": {"here": auth(**USER, **PROJECT)}}}),
    "an entry that is not there": Way({"cloud": "there"}, {}, auth(**USER, **PROJECT)),
    "no clouds.yaml": Way({"cloud": "here"}),
    "a clouds.yaml that is none": Way({"cloud": "here"}, {}, None, {"clouds.yaml": "clouds: [unclosed"}),
}  # fmt: skip
REFUSED = {
    "a region that is not there",
    "user's id with the default domain",
    "user's name and id",
    "both domains of the user",
    "no user",
    "wrong password",
    "application credential by name without a user",
    "application credential without its secret",
    "application credential and password",
    "token without project",
    "nothing",
    "no address",
    "identity version 2",
    "an endpoint type that is none",
    "clouds.yaml, token type without a token",
    "clouds.yaml, no domains",
    "clouds.yaml, auth is text",
    "clouds.yaml, no address",
    "clouds.yaml, a profile that is not there",
    "an entry that is not there",
    "no clouds.yaml",
    "a clouds.yaml that is none",
    # Keystone answers, but its token is for no project: the catalog is empty.
    "user's id without scope",
}
