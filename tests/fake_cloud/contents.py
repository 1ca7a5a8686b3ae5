"""The objects of a cloud before anybody uses it."""

from typing import Any

from tests.fake_cloud.identity import PROJECT
from tests.fake_cloud.network import DEFAULTS
from tests.fake_cloud.store import Store, Thing

FLAVORS = {"local.small": (1, 768, 10), "local.medium": (2, 2048, 10)}
"""vCPUs, MiB of memory, GiB of disk."""
OTHERS = "the cloud's"
"""A project of somebody else."""


def furnish(store: Store) -> None:
    """Add what the stack `local` names, and what Neutron creates for a new project."""
    image(store, "idr-debian-12")
    network(store, "public", "192.0.2.0/24", None, **{"router:external": True})
    for name, size in FLAVORS.items():
        flavor(store, name, *size)
    store.add("zones", id="nova", available=True)
    store.add("volume-zones", id="nova")
    store.add("types", name="standard", extra_specs={}, is_public=True)
    store.add("share_types", name="nfs", extra_specs={}, required_extra_specs={"driver_handles_share_servers": "False"})
    group(store, "default")


def image(store: Store, name: str, **values: Any) -> Thing:
    """Add an image."""
    usual = {
        "status": "active",
        "visibility": "public",
        "os_hidden": False,
        "min_disk": 0,
        "min_ram": 0,
        "size": 1 << 20,
        "virtual_size": None,
        "created_at": "2026-01-01T00:00:00Z",
        "updated_at": "2026-01-01T00:00:00Z",
        "container_format": "bare",
        "disk_format": "qcow2",
        "protected": False,
        "tags": [],
        "owner": OTHERS,
        "file": "",
        "schema": "",
        "checksum": None,
    }
    return store.add("images", name=name, **{**usual, **values})


def network(store: Store, name: str, cidr: str | None = None, gateway: str | None = None, **values: Any) -> Thing:
    """Add a network of the cloud, with a subnet if there is a CIDR."""
    owned = {"project_id": OTHERS, "tenant_id": OTHERS, "shared": True, "tags": []}
    record = store.add("networks", name=name, **{**DEFAULTS["networks"], "subnets": [], **owned, **values})
    if cidr:
        subnet = {**DEFAULTS["subnets"], "name": name, "cidr": cidr, "gateway_ip": gateway, "project_id": OTHERS}
        record["subnets"].append(store.add("subnets", network_id=record["id"], **subnet)["id"])
    return record


def flavor(store: Store, name: str, vcpus: int, ram: int, disk: int) -> Thing:
    """Add a flavor."""
    rest = {"OS-FLV-EXT-DATA:ephemeral": 0, "os-flavor-access:is_public": True, "swap": "", "extra_specs": {}}
    return store.add("flavors", name=name, vcpus=vcpus, ram=ram, disk=disk, **rest)


def group(store: Store, name: str, **values: Any) -> Thing:
    """Add a security group of the project, with the four rules of `default`."""
    record = store.add("security-groups", name=name, project_id=PROJECT, tags=[], **values)
    for direction in ("ingress", "ingress", "egress", "egress"):
        rule(store, record["id"], direction)
    return record


def rule(store: Store, group_id: str, direction: str, **values: Any) -> Thing:
    """Add a rule to a security group."""
    nothing = ("remote_group_id", "remote_ip_prefix", "protocol", "port_range_min", "port_range_max")
    usual = {**dict.fromkeys(nothing), "ethertype": "IPv4", "project_id": PROJECT}
    return store.add(
        "security-group-rules", **{**usual, "security_group_id": group_id, "direction": direction, **values}
    )
