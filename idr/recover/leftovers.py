"""Delete objects in the cloud that an interrupted update created and that are not in the state."""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from idr.agreement import Agreement
from model.comparison import CloudObject, Kind, Undecided

if TYPE_CHECKING:
    from openstack.connection import Connection

SECONDS = 180


def how_to_decide(blocked: Iterable[Undecided]) -> str:
    """Return advice for several data volumes or shares that could be the right one."""
    commands = [f"`openstack {kind} delete ID`" for kind in dict.fromkeys(one.data.kind for one in blocked)]
    return (
        f"Delete the one without your data by its id ({', '.join(commands)}), then run this again. Nothing was changed."
    )


def remove(cloud: "Connection", agreement: Agreement, report: Callable[[str], None]) -> None:
    """Delete the leftovers without data, and servers in ERROR, one after another. Wait for data in creation."""
    for one in (*agreement.comparison.delete, *agreement.comparison.extra_rules, *agreement.broken()):
        _delete(cloud, one)
        report(f"{one}: deleted")
    for adoption in agreement.comparison.adopt:
        wait_for_creation(cloud, adoption.data)


def wait_for_creation(cloud: "Connection", one: CloudObject) -> None:
    """Wait until the cloud has created a volume or share."""
    service: Any = cloud.shared_file_system if one.kind == Kind.SHARE else cloud.block_storage
    created = service.get_share(one.id) if one.kind == Kind.SHARE else service.get_volume(one.id)
    if created.status == "creating":
        service.wait_for_status(created, "available", failures=["error"], wait=SECONDS)


def _delete(cloud: "Connection", one: CloudObject) -> None:
    if one.kind not in DELETIONS:
        msg = f"{one}: data is never deleted here"
        raise AssertionError(msg)
    DELETIONS[one.kind](cloud, one.id)


def _detach(cloud: "Connection", server: str, volume: str) -> None:
    cloud.compute.delete_volume_attachment(server, volume)
    attached = cloud.block_storage.get_volume(volume)
    cloud.block_storage.wait_for_status(attached, "available", failures=["error"], wait=SECONDS)


def _take_off_router(cloud: "Connection", port: str) -> None:
    router = cloud.network.get_port(port).device_id
    cloud.network.remove_interface_from_router(router, port=port)


def _revoke(cloud: "Connection", share: str, rule: str) -> None:
    cloud.shared_file_system.delete_access_rule(rule, share)


DELETIONS: Final[Mapping[Kind, Callable[["Connection", str], object]]] = {
    Kind.ATTACHMENT: lambda cloud, one: _detach(cloud, *one.split("/")),
    Kind.ACCESS: lambda cloud, one: _revoke(cloud, *one.split("/")),
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
"""How an object of each kind is deleted, by its id. Kinds with data are not among them."""
