"""The provider's settings: all of them are known here, and a wrong combination gives one line."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi_openstack
import pytest
from pulumi import _types

from idr import clouds_yaml
from model.login import ProviderError
from model.provider import REPEATS, SETTINGS, WITHOUT_EFFECT, Access, access, has_credentials

ADDRESS = "https://identity.example.org:5000/v3"
PERSON = {"userName": "nina", "password": "p", "tenantName": "idr"}


def read(settings: Mapping[str, Any], variables: Mapping[str, str] | None = None) -> Access:
    return access(settings.get, variables or {}, lambda *_: {})


def test_every_setting_of_the_provider_is_read_or_has_no_effect() -> None:
    theirs = set(_types.input_type_types(pulumi_openstack.ProviderArgs))
    mine = set(SETTINGS) | WITHOUT_EFFECT | {REPEATS}
    assert {name.lower().replace("_", "") for name in theirs} == {name.lower() for name in mine}


@pytest.mark.parametrize("variable", ["OS_IMAGE_ID", "OS_FLAVOR_ID"])
def test_a_variable_that_outdoes_the_settings_is_refused(variable: str) -> None:
    with pytest.raises(ProviderError, match=f"unset {variable}"):
        read({"authUrl": ADDRESS, **PERSON}, {variable: "1"})


@pytest.mark.parametrize("address", ["identity.example.org:5000/v3", "htps://identity.example.org/v3"])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(ProviderError, match="must begin with https://"):
        read({"authUrl": address, **PERSON})


def test_somebody_without_credentials_reads_where_they_usually_are() -> None:
    with pytest.raises(ProviderError, match=r"^no credentials for this cloud: source its openrc file, .* clouds\.yaml"):
        read({"authUrl": ADDRESS})


@pytest.mark.parametrize("value", [3, "3"])
def test_repeated_requests_are_refused(value: Any) -> None:
    """A POST whose answer was lost created a data volume twice."""
    with pytest.raises(ProviderError, match="openstack:maxRetries is set"):
        read({"authUrl": ADDRESS, **PERSON, "maxRetries": value})
    assert read({"authUrl": ADDRESS, **PERSON, "maxRetries": type(value)(0)}).auth_url == ADDRESS


@pytest.mark.parametrize(
    ("settings", "variables", "has"),
    [
        ({"authUrl": ADDRESS}, {}, False),
        ({"authUrl": ADDRESS, "userName": "nina"}, {"OS_PROJECT_NAME": "idr"}, False),
        ({"authUrl": ADDRESS}, {"OS_PASSWORD": "p"}, True),
        ({"authUrl": ADDRESS}, {"OS_AUTH_TOKEN": "t"}, True),
        ({"authUrl": ADDRESS}, {"OS_APPLICATION_CREDENTIAL_SECRET": "s"}, True),
        ({"cloud": "here"}, {}, True),
        ({}, {"OS_CLOUD": "here"}, True),
    ],
)
def test_who_has_something_that_opens_has_credentials(
    settings: dict[str, str], variables: dict[str, str], has: bool
) -> None:
    assert has_credentials(settings.get, variables) is has


@pytest.mark.parametrize("given", [{"compute": "https://nova/v2.1/"}, json.dumps({"compute": "https://nova/v2.1/"})])
def test_endpoints_are_read_from_a_stack_file_and_from_the_engine(given: Any) -> None:
    assert read({"authUrl": ADDRESS, **PERSON, "endpointOverrides": given}).overrides == {
        "compute": "https://nova/v2.1/"
    }


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("{auth: x}", "'here': auth must be a mapping of keys to values"),
        ("{auth: {password: [1]}}", "'here': auth.password must be text"),
        ("{verify: {a: 1}}", "'here': verify must be text"),
        ("{profile: [x]}", "'here': profile must be text"),
        ("{regions: [{name: one, values: x}]}", "'here': regions: values must be a mapping of keys to values"),
        ("[" * 5000, "cannot be read: "),
    ],
)
def test_an_entry_of_clouds_yaml_that_is_none_is_named_with_its_key(tmp_path: Path, entry: str, message: str) -> None:
    (tmp_path / "clouds.yaml").write_text(f"clouds:\n  here: {entry}\n")
    with pytest.raises(ProviderError) as caught:
        clouds_yaml.entry("here", "one", tmp_path)
    assert str(caught.value).startswith(f"{tmp_path}/clouds.yaml")
    assert message in str(caught.value)


@pytest.mark.parametrize("given", [True, "true", "True", "1"])
def test_insecure_is_read_in_every_form(given: Any) -> None:
    assert not read({"authUrl": ADDRESS, **PERSON, "insecure": given}).verify


def test_nothing_secret_is_shown() -> None:
    assert "hidden" not in repr(read({"authUrl": ADDRESS, **PERSON, "password": "hidden", "key": "hidden"}))
