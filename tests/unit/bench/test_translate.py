"""The benchmark's Terraform configuration declares what the Pulumi state has."""

from typing import Any

import pytest

from bench.infra.translate import SECRET, TranslationError, translate

LOGIN = {"auth_url": "http://identity.example.org/v3"}
TEXT = {"type": "string"}
SCHEMA = {
    "resource_schemas": {
        "openstack_networking_port_v2": {
            "block": {
                "attributes": {"name": TEXT, "network_id": TEXT, "tags": {"type": ["set", "string"]}},
                "block_types": {"fixed_ip": {"block": {"attributes": {"ip_address": TEXT}}}},
            }
        },
        "openstack_networking_network_v2": {"block": {"attributes": {"name": TEXT}}},
        "openstack_compute_servergroup_v2": {"block": {"attributes": {"policies": {"type": ["list", "string"]}}}},
    }
}
NETWORK = "urn:pulumi:s::idr::openstack:networking/network:Network::net"


def resource(token: str, name: str, inputs: dict[str, Any], **more: Any) -> dict[str, Any]:
    urn = f"urn:pulumi:s::idr::{token}::{name}"
    return {"urn": urn, "type": token, "id": f"id-of-{name}", "inputs": {"__defaults": [], **inputs}, **more}


def resources(*entries: dict[str, Any]) -> dict[str, Any]:
    translated: dict[str, Any] = translate({"deployment": {"resources": list(entries)}}, SCHEMA, LOGIN)["resource"]
    return translated


def test_ids_become_references_and_lists_of_objects_become_blocks() -> None:
    network = resource("openstack:networking/network:Network", "net", {"name": "net"})
    inputs = {"name": "p", "networkId": "id-of-net", "fixedIps": [{"ipAddress": "10.0.0.5"}], "tags": ["a"]}
    port = resource("openstack:networking/port:Port", "p", inputs, dependencies=[NETWORK])
    assert resources(network, port)["openstack_networking_port_v2"]["p"] == {
        "name": "p",
        "network_id": "${openstack_networking_network_v2.net.id}",
        "fixed_ip": [{"ip_address": "10.0.0.5"}],
        "tags": ["a"],
        "depends_on": ["openstack_networking_network_v2.net"],
    }


def test_a_list_that_pulumi_shows_as_its_only_value_is_a_list_again() -> None:
    group = resource("openstack:compute/serverGroup:ServerGroup", "g", {"policies": "soft-anti-affinity"})
    assert resources(group)["openstack_compute_servergroup_v2"]["g"] == {"policies": ["soft-anti-affinity"]}


def test_secrets_are_opened_and_what_terraform_would_evaluate_is_escaped() -> None:
    secret = {SECRET: "1b47061264138c4ac30d75fd1eb44270", "plaintext": '"${HOME} %{if}"'}
    network = resource("openstack:networking/network:Network", "net", {"name": secret})
    assert resources(network)["openstack_networking_network_v2"]["net"] == {"name": "$${HOME} %%{if}"}


def test_what_is_not_of_openstack_is_left_out() -> None:
    assert resources(resource("command:remote:Command", "c", {"create": "true"})) == {}


def test_an_unknown_property_is_named() -> None:
    with pytest.raises(TranslationError, match="openstack_networking_network_v2 has no property colour"):
        resources(resource("openstack:networking/network:Network", "net", {"colour": "red"}))
