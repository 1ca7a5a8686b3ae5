"""Clouds that have just enough for the local stack, and plans of it, for tests of what a cloud lacks."""

from typing import Any

from harness import stacks
from model.cloud_state import (
    CloudFlavor,
    CloudNetwork,
    CloudState,
    CloudSubnet,
    Image,
    Router,
)
from model.plan import Plan
from model.planning import plan
from model.reading import Source, parse

VOLUME = "20e55581-ecd0-4a97-9000-000000000000"
PUBLIC = CloudNetwork("public", "e1", external=True)
STORAGE = CloudNetwork("storage", "s1", port_security=True, subnets=(CloudSubnet("172.16.0.0/16"),))
MINE = CloudNetwork("mine", "m1", port_security=True, subnets=(CloudSubnet("10.130.1.0/24"),))
FLAVORS = tuple(CloudFlavor(name, f.vcpus, f.memory_mib, 10) for name, f in stacks.settings("local").flavors.items())
ENOUGH = CloudState(
    flavors=FLAVORS,
    images=(Image("idr-debian-12"),),
    image_names=("idr-debian-12",),
    keypairs=frozenset({"ours"}),
    zones={"nova": True},
    networks=(PUBLIC, STORAGE, MINE),
    routers=(Router("theirs"),),
    ports=(),
    floating_ips=(),
    volumes=(),
    snapshots=(),
    volume_types=frozenset({"standard"}),
    volume_zones=frozenset({"nova"}),
)


def local(change: dict[str, Any] | None = None, **nodes: dict[str, Any]) -> Plan:
    """Return the stack `local`, with other settings and other settings of its nodes."""
    values = stacks.values("local")
    for name, settings in nodes.items():
        values["releases"]["demo1"]["nodes"][name] |= settings
    return plan(parse({**values, **(change or {})}, Source("local", "Pulumi.local.yaml")), "local")


def joined(name: str, **change: Any) -> Plan:
    """Return the stack with its release in an existing network."""
    values = stacks.values("local")["releases"]
    values["demo1"]["existingNetwork"] = name
    return local({"releases": values, **change})


def volume(**settings: Any) -> dict[str, Any]:
    return {"volumes": {"db": {"sizeGib": 1, **settings}}}


PLAN = local()
WITH_STORAGE = local({"storageNetwork": {"name": "storage", "cidr": "172.16.0.0/16"}})
OPEN_STORAGE = local({"storageNetwork": {"name": "storage", "cidr": "172.16.0.0/16", "portSecurity": False}})
SMALL, MEDIUM = FLAVORS
