"""Requests that every cloud must refuse. The fake cloud must refuse them with OpenStack's status."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

from openstack.connection import Connection
from openstack.exceptions import HttpException

NAME = "idr-contract"
SECONDS = 300
REFUSED = {
    "a subnet over another": 400,
    "a second port of a router in a subnet": 400,
    "a rule that is there": 409,
    "an address that is taken": 409,
    "the end of a network in use": 409,
    "the end of a subnet in use": 409,
    "the end of a router in use": 409,
    "the end of a group in use": 409,
    "the end of a router's port": 409,
    "a floating address for a port that no router reaches": 404,
    "a second floating address for a port": 409,
    "the end of a router's port before a floating address": 409,
    "a second server on a port": 409,
    "a volume attached again": 400,
    "the end of a volume in use": 400,
    "the start of a server that runs": 409,
}
"""Each request, and the status of its refusal."""


def refusals(cloud: Connection, image: str, flavor: str, external: str, zone: str) -> dict[str, int]:
    """Return the status of each refusal; 0 if the cloud accepted the request. Leaves nothing behind."""
    with ExitStack() as cleanup:
        return dict(_refusals(cloud, cleanup, (image, flavor, external, zone)))


def _refusals(cloud: Connection, cleanup: ExitStack, names: tuple[str, str, str, str]) -> Iterator[tuple[str, int]]:
    yield from _of_network(cloud, cleanup, names[2])
    yield from _of_compute(cloud, cleanup, names)


def _of_network(cloud: Connection, cleanup: ExitStack, external: str) -> Iterator[tuple[str, int]]:
    api: Any = cloud.network
    public = api.find_network(external).id
    network, lonely = (_kept(cleanup, api.create_network(name=NAME), api.delete_network) for _ in range(2))
    subnet, apart = (
        _kept(cleanup, api.create_subnet(network_id=one.id, ip_version=4, cidr=cidr, name=NAME), api.delete_subnet)
        for one, cidr in ((network, "10.9.0.0/24"), (lonely, "10.9.1.0/24"))
    )
    gateway = {"external_gateway_info": {"network_id": public}}
    router = _kept(cleanup, api.create_router(name=NAME, **gateway), api.delete_router)
    api.add_interface_to_router(router, subnet=subnet.id)
    cleanup.callback(api.remove_interface_from_router, router, subnet=subnet.id)
    group = _kept(cleanup, api.create_security_group(name=NAME), api.delete_security_group)
    rule = {"security_group_id": group.id, "direction": "ingress", "protocol": "tcp", "ethertype": "IPv4"}
    rule |= {"port_range_min": 22, "port_range_max": 22}
    api.create_security_group_rule(**rule)
    here = {"network_id": network.id, "fixed_ips": [{"subnet_id": subnet.id, "ip_address": "10.9.0.10"}]}
    port = _kept(cleanup, api.create_port(name=NAME, security_groups=[group.id], **here), api.delete_port)
    there = {"network_id": lonely.id, "fixed_ips": [{"subnet_id": apart.id, "ip_address": "10.9.1.10"}]}
    far = _kept(cleanup, api.create_port(name=NAME, **there), api.delete_port)
    first, second = (_kept(cleanup, api.create_ip(floating_network_id=public), api.delete_ip) for _ in range(2))
    api.update_ip(first, port_id=port.id)
    gate = next(one for one in api.ports(network_id=network.id) if one.device_id == router.id)
    tries: dict[str, Callable[[], Any]] = {
        "a subnet over another": lambda: api.create_subnet(network_id=network.id, ip_version=4, cidr="10.9.0.0/24"),
        "a second port of a router in a subnet": lambda: api.add_interface_to_router(router, subnet=subnet.id),
        "a rule that is there": lambda: api.create_security_group_rule(**rule),
        "an address that is taken": lambda: api.create_port(**here),
        "the end of a network in use": lambda: api.delete_network(network),
        "the end of a subnet in use": lambda: api.delete_subnet(subnet),
        "the end of a router in use": lambda: api.delete_router(router),
        "the end of a group in use": lambda: api.delete_security_group(group),
        "the end of a router's port": lambda: api.delete_port(gate),
        "a floating address for a port that no router reaches": lambda: api.update_ip(second, port_id=far.id),
        "a second floating address for a port": lambda: api.update_ip(second, port_id=port.id),
        "the end of a router's port before a floating address": lambda: api.remove_interface_from_router(
            router, subnet=subnet.id
        ),
    }
    for name, attempt in tries.items():
        yield name, _status(attempt)


def _of_compute(cloud: Connection, cleanup: ExitStack, names: tuple[str, str, str, str]) -> Iterator[tuple[str, int]]:
    compute: Any = cloud.compute
    storage: Any = cloud.block_storage
    images: Any = cloud.image
    image, flavor, _, zone = names
    port = next(one for one in cloud.network.ports(name=NAME) if one.fixed_ips[0]["ip_address"] == "10.9.0.10")
    ids = {"image_id": images.find_image(image).id, "flavor_id": compute.find_flavor(flavor).id}
    wanted = {**ids, "name": NAME, "networks": [{"port": port.id}], "availability_zone": zone}
    server = compute.create_server(**wanted)
    cleanup.callback(cloud.delete_server, server.id, wait=True, timeout=SECONDS)
    volume = storage.create_volume(name=NAME, size=1)
    cleanup.callback(cloud.delete_volume, volume.id, wait=True, timeout=SECONDS)
    storage.wait_for_status(volume, "available", wait=SECONDS)
    compute.wait_for_server(server, wait=SECONDS)
    compute.create_volume_attachment(server, volume_id=volume.id)
    cleanup.callback(storage.wait_for_status, volume, "available", wait=SECONDS)
    cleanup.callback(compute.delete_volume_attachment, server, volume)
    storage.wait_for_status(volume, "in-use", wait=SECONDS)
    tries: dict[str, Callable[[], Any]] = {
        "a second server on a port": lambda: compute.create_server(**wanted),
        "a volume attached again": lambda: compute.create_volume_attachment(server, volume_id=volume.id),
        "the end of a volume in use": lambda: storage.delete_volume(volume),
        "the start of a server that runs": lambda: compute.start_server(server),
    }
    for name, attempt in tries.items():
        yield name, _status(attempt)


def _kept(cleanup: ExitStack, thing: Any, end: Callable[[Any], Any]) -> Any:
    cleanup.callback(end, thing)
    return thing


def _status(attempt: Callable[[], Any]) -> int:
    try:
        attempt()
    except HttpException as error:
        return int(error.status_code or 0)
    return 0
