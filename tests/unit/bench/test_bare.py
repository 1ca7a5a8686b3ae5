"""The bench's bare program declares what the Pulumi state has."""

import json
from typing import Any

from google.protobuf.json_format import MessageToDict

from bench.infra import bare, bare_program
from bench.infra.translate import SECRET
from idr.resources import STACK as STACK_TYPE
from tests import declared

RELEASE = "urn:pulumi:s::idr::idr:release:Release::r"
NETWORK = f"{RELEASE}$openstack:networking/network:Network::net"
STATE: list[dict[str, Any]] = [
    {"urn": "urn:pulumi:s::idr::pulumi:pulumi:Stack::idr-s", "type": "pulumi:pulumi:Stack", "custom": False},
    {"urn": RELEASE, "type": "idr:release:Release", "custom": False, "inputs": {"size": 1}},
    {
        "urn": NETWORK,
        "type": "openstack:networking/network:Network",
        "custom": True,
        "id": "id-of-net",
        "parent": RELEASE,
        "deleteBeforeReplace": True,
        "inputs": {"__defaults": ["adminStateUp"], "adminStateUp": True, "name": "net"},
    },
    {
        "urn": "urn:pulumi:s::idr::openstack:compute/instance:Instance::web",
        "type": "openstack:compute/instance:Instance",
        "custom": True,
        "id": "id-of-web",
        "dependencies": [RELEASE, NETWORK],
        "propertyDependencies": {"networks": [NETWORK]},
        "inputs": {
            "networks": [{"__defaults": [], "uuid": "id-of-net"}],
            "userData": {SECRET: "1b47061264138c4ac30d75fd1eb44270", "plaintext": '"secret text"'},
        },
    },
]
"""A component, a network in it, and a server that refers to both."""


def test_references_options_and_what_the_provider_added() -> None:
    release, network, server = bare.resources({"deployment": {"resources": STATE}})
    assert (release["parent"], release["properties"], "module" in release) == (None, {"size": 1}, False)
    assert (network["module"], network["class"], network["parent"]) == ("pulumi_openstack.networking", "Network", 0)
    assert (network["options"], network["properties"]) == ({"delete_before_replace": True}, {"name": "net"})
    assert server["depends_on"] == [0]
    assert server["properties"] == {"networks": [{"uuid": "output of 1.id"}], "sealed userData": "secret text"}


def test_the_program_declares_what_was_listed() -> None:
    listed = json.loads(json.dumps(bare.resources({"deployment": {"resources": STATE}})))

    def program() -> None:
        done: list[Any] = []
        for resource in listed:
            done.append(bare_program.declare(resource, done))

    requests = declared.run(program, "s").requests.values()
    inputs = {request.name: MessageToDict(request.object) for request in requests if request.type != STACK_TYPE}
    user_data = {SECRET: "1b47061264138c4ac30d75fd1eb44270", "value": "secret text"}
    assert inputs == {
        "r": {"size": 1},
        "net": {"name": "net"},
        "web": {"networks": [{"uuid": "<id of Network net>"}], "userData": user_data},
    }
