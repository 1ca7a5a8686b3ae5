"""Deletes what an interrupted update left in the cloud and the state does not know."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from idr.agreement import Agreement
from model.comparison import CloudObject, Kind

if TYPE_CHECKING:
    from openstack.connection import Connection

SECONDS = 180
HOW_TO_DECIDE = (
    "Delete the one without your data by its id (`openstack volume delete ID`), then run this again. "
    "Nothing was changed."
)


def remove(cloud: "Connection", agreement: Agreement, say: Callable[[str], None]) -> None:
    """Delete the leftovers without data, and servers in ERROR, one after another. Wait for volumes in creation."""
    for one in (*agreement.comparison.delete, *agreement.comparison.extra_rules, *agreement.broken()):
        _delete(cloud, one)
        say(f"{one}: deleted")
    for adoption in agreement.comparison.adopt:
        volume = cloud.block_storage.get_volume(adoption.volume.id)
        if volume.status == "creating":
            cloud.block_storage.wait_for_status(volume, "available", failures=["error"], wait=SECONDS)


def _delete(cloud: "Connection", one: CloudObject) -> None:
    if one.kind not in DELETIONS:
        msg = f"{one}: data volumes are never deleted here"
        raise AssertionError(msg)
    DELETIONS[one.kind](cloud, one.id)


def _detach(cloud: "Connection", server: str, volume: str) -> None:
    cloud.compute.delete_volume_attachment(server, volume)
    attached = cloud.block_storage.get_volume(volume)
    cloud.block_storage.wait_for_status(attached, "available", failures=["error"], wait=SECONDS)


def _take_off_router(cloud: "Connection", port: str) -> None:
    router = cloud.network.get_port(port).device_id
    cloud.network.remove_interface_from_router(router, port=port)


DELETIONS: Final[Mapping[Kind, Callable[["Connection", str], object]]] = {
    Kind.ATTACHMENT: lambda cloud, one: _detach(cloud, *one.split("/")),
    Kind.SERVER: lambda cloud, one: cloud.delete_server(one, wait=True, timeout=SECONDS),
    Kind.SERVER_GROUP: lambda cloud, one: cloud.compute.delete_server_group(one),
    Kind.FLOATING_IP: lambda cloud, one: cloud.network.delete_ip(one),
    Kind.PORT: lambda cloud, one: cloud.network.delete_port(one),
    Kind.ROUTER_PORT: _take_off_router,
    Kind.RULE: lambda cloud, one: cloud.network.delete_security_group_rule(one),
    Kind.SECURITY_GROUP: lambda cloud, one: cloud.network.delete_security_group(one),
    Kind.SUBNET: lambda cloud, one: cloud.network.delete_subnet(one),
    Kind.NETWORK: lambda cloud, one: cloud.network.delete_network(one),
    Kind.ROUTER: lambda cloud, one: cloud.network.delete_router(one),
}
"""How an object of each kind is deleted, by its id. Volumes are not among them."""
