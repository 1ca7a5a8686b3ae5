"""Deletes what an interrupted update left in the cloud and the state does not know."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from idr.agreement import Agreement
from model.comparison import CloudObject, Kind

if TYPE_CHECKING:
    from openstack.connection import Connection

SECONDS = 180
HOW_TO_DECIDE = (
    "Delete the one without your data by its id (`openstack volume delete ID`), then run this again. "
    "Nothing was changed."
)


def remove(cloud: "Connection", found: Agreement, say: Callable[[str], None]) -> None:
    """Delete the leftovers without data, and servers in ERROR, one after another; wait for volumes being made."""
    for one in (*found.comparison.delete, *found.comparison.extra_rules, *found.broken()):
        _delete(cloud, one)
        say(f"{one}: deleted")
    for adoption in found.comparison.adopt:
        volume = cloud.block_storage.get_volume(adoption.volume.id)
        if volume.status == "creating":
            cloud.block_storage.wait_for_status(volume, "available", failures=["error"], wait=SECONDS)


def _delete(cloud: "Connection", one: CloudObject) -> None:
    network = cloud.network
    match one.kind:
        case Kind.ATTACHMENT:
            _detach(cloud, *one.id.split("/"))
        case Kind.SERVER:
            cloud.delete_server(one.id, wait=True, timeout=SECONDS)
        case Kind.SERVER_GROUP:
            cloud.compute.delete_server_group(one.id)
        case Kind.FLOATING_IP:
            network.delete_ip(one.id)
        case Kind.PORT:
            network.delete_port(one.id)
        case Kind.ROUTER_PORT:
            port = network.get_port(one.id)
            network.remove_interface_from_router(port.device_id, port=one.id)
        case Kind.RULE:
            network.delete_security_group_rule(one.id)
        case Kind.SECURITY_GROUP:
            network.delete_security_group(one.id)
        case Kind.SUBNET:
            network.delete_subnet(one.id)
        case Kind.NETWORK:
            network.delete_network(one.id)
        case Kind.ROUTER:
            network.delete_router(one.id)
        case Kind.VOLUME:
            msg = f"{one}: data volumes are never deleted here"
            raise AssertionError(msg)


def _detach(cloud: "Connection", server: str, volume: str) -> None:
    cloud.compute.delete_volume_attachment(server, volume)
    attached = cloud.block_storage.get_volume(volume)
    cloud.block_storage.wait_for_status(attached, "available", failures=["error"], wait=SECONDS)
