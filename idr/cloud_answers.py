"""Converts a cloud's responses into the types that a plan is compared with (`model.cloud_state`)."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from math import ceil
from typing import TYPE_CHECKING, Any, TypeVar

from idr import manila, quotas
from idr.cloud import answer_or_refusal
from idr.listing import ROUTER_OWNERS
from model import cloud_state as known
from model import shares
from model.cloud_state import CloudState
from model.image_systems import by_properties
from model.ownership import stack_of, stack_of_metadata
from model.plan import Plan, cloud_prefix
from model.planning import PLACEHOLDER

if TYPE_CHECKING:
    from openstack.connection import Connection

T = TypeVar("T")
GIB = 1 << 30
DESTINATIONS = ("bastion", "public")


def state(
    cloud: "Connection",
    plan: Plan,
    values: Mapping[str, Any],
    limits: Mapping[str, known.Quota],
    unchecked: tuple[str, ...],
) -> CloudState:
    """Return the state from the answers in `values`, by the names of the questions.

    Asks Glance again where it listed no image of a name, so that a message can say why.
    """
    stack = plan.stack
    networks = _networks(values.get("networks"), values.get("subnets"), stack)
    images = _each(values.get("images"), _image)
    wanted = {node.image for node in plan.nodes} - {PLACEHOLDER}
    absent = sorted(wanted - {image.name for image in images or ()}) if images is not None else []
    compute, storage = values.get("quotas of compute") or {}, values.get("quotas of block storage") or {}
    return CloudState(
        servers=_servers(values.get("servers"), values.get("flavors"), stack),
        server_groups=_names(values.get("server groups")),
        flavors=_each(values.get("flavors"), _flavor),
        images=None if images is None else (*images, *(image for name in absent for image in _unlisted(cloud, name))),
        # Glance also lists images without a name, such as those not uploaded yet.
        image_names=tuple(image.name for image in cloud.image.images() if image.name) if absent else (),
        keypairs=_names(values.get("key pairs")),
        zones=_zones(values.get("availability zones")),
        networks=networks,
        routers=_each(values.get("routers"), lambda router: _router(router, stack)),
        ports=_each(values.get("ports"), lambda port: _port(port, stack)),
        floating_ips=_each(values.get("floating IPs"), lambda ip: _floating_ip(ip, stack)),
        security_groups=_groups(values.get("security groups"), stack),
        volumes=_each(values.get("volumes"), lambda volume: _volume(volume, stack)),
        snapshots=_each(values.get("snapshots"), _snapshot),
        volume_types=_names(values.get("volume types")),
        default_type=values.get("default volume type"),
        volume_zones=_names(values.get("zones of block storage")),
        has_manila="shares" in values or not shares.of(plan),
        shares=_each(values.get("shares"), lambda share: manila.share(share, stack)),
        share_types=manila.types(values.get("share types")),
        default_share_type=values.get("default share type"),
        quotas=limits,
        members=compute.get("maxServerGroupMembers"),
        volume_gib=quotas.limit(storage.get("per_volume_gigabytes")),
        unchecked=unchecked,
    )


def _each(things: Iterable[Any] | None, convert: Callable[[Any], T]) -> tuple[T, ...] | None:
    return None if things is None else tuple(convert(thing) for thing in things)


def _names(things: Iterable[Any] | None) -> frozenset[str] | None:
    return None if things is None else frozenset(thing.name for thing in things)


def _zones(zones: Iterable[Any] | None) -> dict[str, bool] | None:
    return None if zones is None else {zone.name: bool((zone.state or {}).get("available", True)) for zone in zones}


def _is_own(thing: Any, stack: str) -> bool:
    return stack_of(thing.tags or (), thing.description) == stack


def _servers(servers: Iterable[Any] | None, flavors: Iterable[Any] | None, stack: str) -> tuple[known.Server, ...]:
    by_id = {flavor.id: flavor for flavor in flavors or ()}
    own = (server for server in servers or () if stack_of_metadata(server.metadata or {}) == stack)
    return tuple(_server(server, by_id) for server in own)


def _server(server: Any, flavors: Mapping[str, Any]) -> known.Server:
    # Since microversion 2.47 Nova reports the flavor itself, before that its id.
    given = server.flavor
    flavor = flavors.get(given.id, given) if given.get("vcpus") is None else given
    metadata = server.metadata or {}
    return known.Server(
        name=server.name,
        flavor=flavor.get("original_name") or flavor.get("name"),
        vcpus=flavor.get("vcpus") or 0,
        memory_mib=flavor.get("ram") or 0,
        image=metadata.get("image"),
        rebuild=metadata.get("rebuild"),
        zone=server.availability_zone,
        id=server.id,
    )


def _flavor(flavor: Any) -> known.CloudFlavor:
    return known.CloudFlavor(flavor.name, vcpus=flavor.vcpus, memory_mib=flavor.ram, disk_gib=flavor.disk)


def _image(image: Any) -> known.Image:
    return known.Image(
        name=image.name or "",
        id=image.id,
        status=image.status,
        visibility=image.visibility or "",
        hidden=bool(image.is_hidden),
        size_gib=ceil(max(image.size or 0, image.virtual_size or 0) / GIB),
        min_disk_gib=image.min_disk or 0,
        min_ram_mib=image.min_ram or 0,
        created=image.created_at or "",
        system=by_properties(image.os_distro, image.os_version),
    )


def _unlisted(cloud: "Connection", name: str) -> list[known.Image]:
    """Return the images of that name that a plain list leaves out, so that a message can say why."""
    unlisted: list[known.Image] = []
    for query in ({"is_hidden": True}, {"visibility": "community"}):
        images, _ = answer_or_refusal(partial(_images, cloud, name=name, **query))
        unlisted += map(_image, images or ())
    return unlisted


def _images(cloud: "Connection", **query: Any) -> list[Any]:
    return list(cloud.image.images(**query))


def _networks(
    networks: Iterable[Any] | None, subnets: Iterable[Any] | None, stack: str
) -> tuple[known.CloudNetwork, ...] | None:
    if networks is None:
        return None
    inside: dict[str, list[known.CloudSubnet]] = {}
    for subnet in subnets or ():
        inside.setdefault(subnet.network_id, []).append(known.CloudSubnet(subnet.cidr, subnet.gateway_ip, subnet.name))
    return tuple(
        known.CloudNetwork(
            name=network.name,
            id=network.id,
            external=bool(network.is_router_external),
            port_security=network.is_port_security_enabled,
            subnets=tuple(inside.get(network.id, ())),
            is_own=_is_own(network, stack),
        )
        for network in networks
    )


def _router(router: Any, stack: str) -> known.Router:
    outside = router.external_gateway_info or {}
    return known.Router(router.name or "", outside.get("network_id"), _is_own(router, stack), router.id)


def _port(port: Any, stack: str) -> known.Port:
    addresses = tuple(fixed["ip_address"] for fixed in port.fixed_ips or ())
    router = port.device_id if (port.device_owner or "").startswith(ROUTER_OWNERS) else ""
    return known.Port(port.id, port.name or "", port.network_id, addresses, _is_own(port, stack), router)


def _floating_ip(ip: Any, stack: str) -> known.FloatingIp:
    described = ip.description or ""
    # The descriptions that an earlier version of this program gave its floating IPs, without a role.
    old = {f"{cloud_prefix(stack)} {leads_to}": leads_to for leads_to in DESTINATIONS}
    leads_to = old.get(described)
    if _is_own(ip, stack) and leads_to is None:
        labels = {*(ip.tags or ()), *described.split()}
        leads_to = next((leads_to for leads_to in DESTINATIONS if f"idr-roles={leads_to}" in labels), None)
    return known.FloatingIp(ip.floating_ip_address, ip.floating_network_id or "", ip.port_id, leads_to)


def _groups(listed: Iterable[Any] | None, stack: str) -> tuple[known.SecurityGroup, ...] | None:
    if listed is None:
        return None
    groups = list(listed)
    names = {group.id: group.name for group in groups}
    return tuple(
        known.SecurityGroup(
            name=group.name,
            rules=frozenset(_rule(rule, names) for rule in group.security_group_rules or ()),
            is_own=_is_own(group, stack),
        )
        for group in groups
    )


def _rule(rule: Mapping[str, Any], names: Mapping[str, str]) -> known.GroupRule:
    group = rule.get("remote_group_id")
    remote = names.get(group, group) if group else rule.get("remote_ip_prefix") or "0.0.0.0/0"
    ports = (rule.get("port_range_min"), rule.get("port_range_max"))
    return known.GroupRule(rule["direction"], rule.get("protocol"), *ports, remote)


def _volume(volume: Any, stack: str) -> known.CloudVolume:
    own = stack_of_metadata(volume.metadata or {}) == stack
    return known.CloudVolume(
        id=volume.id,
        name=volume.name or "",
        size_gib=volume.size or 0,
        zone=volume.availability_zone,
        is_own=own,
        status=volume.status,
        servers=tuple(attachment["server_id"] for attachment in volume.attachments or ()),
        type=volume.volume_type,
    )


def _snapshot(snapshot: Any) -> known.Snapshot:
    return known.Snapshot(snapshot.id, snapshot.volume_id, snapshot.status, snapshot.size or 0)
