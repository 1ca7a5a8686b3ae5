"""Stack files: what is accepted, and exactly what is said of what is not."""

from collections.abc import Callable
from typing import Any

import pytest

from model.reading import SettingsError, Source, parse
from tests import stacks

Values = dict[str, Any]
SOURCE = Source("local", "Pulumi.local.yaml", encrypted=frozenset({"stackSecret"}))


def mistakes(change: Callable[[Values], object], source: Source = SOURCE) -> list[str]:
    """What is said of the local stack file after a change to it."""
    values = stacks.values("local")
    change(values)
    with pytest.raises(SettingsError) as caught:
        parse(values, source)
    return str(caught.value).splitlines()


def release(values: Values) -> Values:
    found: Values = values["releases"]["demo1"]
    return found


def node(values: Values, name: str) -> Values:
    found: Values = release(values)["nodes"][name]
    return found


@pytest.mark.parametrize("stack", stacks.LAYOUTS)
def test_every_stack_file_of_the_repository_is_valid(stack: str) -> None:
    assert stacks.settings(stack).live in stacks.settings(stack).releases


def test_uod_and_ebi_differ_in_their_storage_only() -> None:
    uod, ebi = stacks.values("uod"), stacks.values("ebi")
    assert {key for key in uod if uod[key] != ebi[key]} == {"storageGroup", "nfsMounts"}


@pytest.mark.parametrize("stack", sorted(stacks.LAYOUTS.keys() - {"local"}))
def test_what_only_an_operator_knows_is_named(stack: str) -> None:
    missing = stacks.settings(stack).missing()
    assert missing[:4] == ("stackSecret", "image", "omeroImage", "externalNetwork")
    assert missing[4:] == tuple(f"omero.{part} (url and sha256)" for part in ("server", "ice", "icePython"))


BAD: dict[str, tuple[Callable[[Values], object], str]] = {
    "a key that is no setting": (
        lambda v: v.update(colour="blue"),
        "Pulumi.local.yaml: idr:colour: is not a setting",
    ),
    "a missing key": (
        lambda v: v.pop("flavors"),
        "Pulumi.local.yaml: idr:flavors: is required",
    ),
    "no memory": (
        lambda v: v["flavors"]["local.small"].update(memoryMib=0),
        "Pulumi.local.yaml: idr:flavors.local.small.memoryMib: Input should be greater than 0 (given: 0)",
    ),
    "a network too small": (
        lambda v: v["bastion"].update(cidr="10.0.0.0/25"),
        "Pulumi.local.yaml: idr:bastion.cidr: must be a /24 or larger: addresses are given by role, from .10 to .250"
        " (given: '10.0.0.0/25')",
    ),
    "host bits in a network": (
        lambda v: v["bastion"].update(cidr="10.0.0.1/24"),
        "Pulumi.local.yaml: idr:bastion.cidr: Input is not a valid IPv4 network (given: '10.0.0.1/24')",
    ),
    "networks that overlap": (
        lambda v: v["bastion"].update(cidr="10.130.0.0/16"),
        "Pulumi.local.yaml: idr: releases.demo1.cidr 10.130.1.0/24 overlaps bastion.cidr 10.130.0.0/16",
    ),
    "a flavor not described": (
        lambda v: node(v, "redis").update(flavor="huge"),
        "Pulumi.local.yaml: idr: releases.demo1.nodes.redis.flavor 'huge' is not described;"
        " flavors has: local.small, local.medium",
    ),
    "a live release that is none": (
        lambda v: v.update(live="demo2"),
        "Pulumi.local.yaml: idr: live names 'demo2', which is not one of the releases: demo1",
    ),
    "a database without its volume": (
        lambda v: node(v, "database").pop("volumes"),
        "Pulumi.local.yaml: idr:releases.demo1.nodes.database: needs a volume 'db' (mounted at /var/lib/postgresql)",
    ),
    "a volume of no role": (
        lambda v: node(v, "redis").update(volumes={"data": {"sizeGib": 1}}),
        "Pulumi.local.yaml: idr:releases.demo1.nodes.redis: volume 'data' belongs to no role of this node;"
        " its roles use: none",
    ),
    "a role that is none": (
        lambda v: node(v, "redis").update(roles=["cache"]),
        "Pulumi.local.yaml: idr:releases.demo1.nodes.redis.roles.0: Input should be 'bastion', 'database', 'redis',"
        " 'omero-readwrite', 'omero-readonly', 'web', 'proxy' or 'management' (given: 'cache')",
    ),
    "no role": (
        lambda v: node(v, "redis").update(roles=[]),
        "Pulumi.local.yaml: idr:releases.demo1.nodes.redis: roles: name at least one of bastion, database, redis,"
        " omero-readwrite, omero-readonly, web, proxy, management",
    ),
    "two databases": (
        lambda v: node(v, "redis").update(roles=["redis", "database"], volumes={"db": {"sizeGib": 1}}),
        "Pulumi.local.yaml: idr:releases.demo1: needs exactly one node with the role database, has 2",
    ),
    "no proxy": (
        lambda v: release(v)["nodes"].pop("proxy"),
        "Pulumi.local.yaml: idr:releases.demo1: needs a node with the role proxy",
    ),
    "a bastion in a release": (
        lambda v: node(v, "proxy").update(roles=["proxy", "bastion"]),
        "Pulumi.local.yaml: idr:releases.demo1: node 'proxy': the bastion is the stack's, not a release's;"
        " set idr:bastion",
    ),
    "more nodes than addresses": (
        lambda v: node(v, "proxy").update(count=11),
        "Pulumi.local.yaml: idr:releases.demo1: role proxy has addresses for 10 nodes, not for 11",
    ),
    "an operator's key that is none": (
        lambda v: v.update(operators=["secret"]),
        "Pulumi.local.yaml: idr:operators.0: must be one line of a public key file, as in ~/.ssh/id_ed25519.pub"
        " (given: 'secret')",
    ),
    "a short stack secret": (
        lambda v: v.update(stackSecret="hunter2"),
        "Pulumi.local.yaml: idr:stackSecret: needs 32 characters or more; make one with: openssl rand -hex 32",
    ),
    "a release name with a dash": (
        lambda v: v["releases"].update({"prod-1": release(v)}),
        "Pulumi.local.yaml: idr:releases.prod-1.[key]: String should match pattern '^[a-z][a-z0-9]{0,19}$'"
        " (given: 'prod-1')",
    ),
    "a sum that is none": (
        lambda v: v["omero"].update(server={"url": "https://example.org/a.zip", "sha256": "abc"}),
        "Pulumi.local.yaml: idr:omero.server.sha256: String should match pattern '^[0-9a-f]{64}$' (given: 'abc')",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_setting_is_named_with_file_key_and_reason(name: str) -> None:
    change, message = BAD[name]
    assert mistakes(change) == [message]


def test_all_mistakes_are_reported_together() -> None:
    def spoil(values: Values) -> None:
        values.update(colour="blue")
        values["flavors"]["local.small"].update(vcpus=-1)

    assert mistakes(spoil) == [
        "Pulumi.local.yaml: idr:flavors.local.small.vcpus: Input should be greater than 0 (given: -1)",
        "Pulumi.local.yaml: idr:colour: is not a setting",
    ]


def test_the_demo_server_is_for_local_only() -> None:
    assert mistakes(lambda _: None, Source("ebi", "Pulumi.ebi.yaml")) == [
        "Pulumi.ebi.yaml: idr:omero.distribution: 'demo' is for the stack 'local' only; use 'official'"
    ]


def test_no_message_repeats_the_stack_secret() -> None:
    assert not any("hunter2" in line for line in mistakes(lambda v: v.update(stackSecret="hunter2", colour="blue")))
