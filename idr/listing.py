"""Lists what a project holds: the objects that a stack may have created, with their labels and owners."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from idr.cloud import SHARES, answer_or_refusal, answered, has_service
from model.comparison import CloudObject, Kind, rule_name
from model.ownership import stack_of, stack_of_metadata

if TYPE_CHECKING:
    from openstack.connection import Connection

ROUTER_OWNERS = ("network:router_interface", "network:ha_router_replicated_interface")
LISTED_WITH = {
    Kind.PORT: Kind.ROUTER_PORT,
    Kind.SECURITY_GROUP: Kind.RULE,
    Kind.VOLUME: Kind.ATTACHMENT,
    Kind.SHARE: Kind.ACCESS,
}
"""Kinds that another one's list shows."""
LEAVING = frozenset({"DELETED", "SOFT_DELETED", "deleting", "queued_to_deny", "denying"})
"""States of servers, volumes, shares and access rules that are on their way out."""


def listing(
    cloud: "Connection", stack: str, *, shares: bool = False
) -> tuple[tuple[CloudObject, ...], frozenset[Kind]]:
    """Every object of the project that can be a stack's, and the kinds that this cloud does not list.

    About a dozen requests, one for each kind. Manila is asked where the stack has `shares`.
    """
    asked = _Listing(cloud, stack)
    return tuple(asked.objects(shares=shares)), frozenset(asked.unlisted)


class _Listing:
    def __init__(self, cloud: "Connection", stack: str) -> None:
        self._cloud, self._stack = cloud, stack
        self._mine = {"project_id": cloud.current_project_id}
        self.unlisted: set[Kind] = set()

    def _all(self, kind: Kind, ask: Callable[[], Iterable[Any]]) -> list[Any]:
        things, why = answer_or_refusal(lambda: list(ask()))
        if why:
            self.unlisted |= {kind, LISTED_WITH.get(kind, kind)}
        return things or []

    def objects(self, *, shares: bool) -> Iterator[CloudObject]:
        network = self._cloud.network
        networks = self._all(Kind.NETWORK, lambda: network.networks(**self._mine))
        ports = self._ports(networks)
        yield from (_labelled(Kind.NETWORK, one) for one in networks)
        subnets = self._all(Kind.SUBNET, lambda: network.subnets(**self._mine))
        yield from (_labelled(Kind.SUBNET, one, one.network_id) for one in subnets)
        routers = self._all(Kind.ROUTER, lambda: network.routers(**self._mine))
        yield from (_labelled(Kind.ROUTER, one) for one in routers)
        yield from (_port(one) for one in ports if not _is_service(one))
        yield from self._floating_ips()
        yield from self._firewall()
        yield from self._compute(ports)
        yield from self._volumes()
        if shares:
            yield from self._shares(ports)

    def _ports(self, networks: list[Any]) -> list[Any]:
        """The project's own ports, and those that others have in this stack's networks, as a shared router does."""
        ports = {port.id: port for port in self._all(Kind.PORT, lambda: self._cloud.network.ports(**self._mine))}
        for network in networks:
            if _stack(network) == self._stack:
                ports.update({port.id: port for port in self._cloud.network.ports(network_id=network.id)})
        return list(ports.values())

    def _floating_ips(self) -> Iterator[CloudObject]:
        for one in self._all(Kind.FLOATING_IP, lambda: self._cloud.network.ips(**self._mine)):
            parents = frozenset({one.port_id} if one.port_id else ())
            yield CloudObject(Kind.FLOATING_IP, one.id, one.floating_ip_address, _stack(one), parents)

    def _firewall(self) -> Iterator[CloudObject]:
        network = self._cloud.network
        listed = self._all(Kind.SECURITY_GROUP, lambda: network.security_groups(**self._mine))
        groups = {group.id: group for group in listed}
        yield from (_labelled(Kind.SECURITY_GROUP, group) for group in groups.values())
        for rule in self._all(Kind.RULE, lambda: network.security_group_rules(**self._mine)):
            group = groups.get(rule.security_group_id)
            if group:
                remote = groups.get(rule.remote_group_id)
                yield CloudObject(Kind.RULE, rule.id, _rule(rule, group, remote), None, frozenset({group.id}))

    def _compute(self, ports: list[Any]) -> Iterator[CloudObject]:
        for server in answered(lambda: list(self._cloud.compute.servers())):
            if server.status not in LEAVING:
                plugged = frozenset(port.id for port in ports if port.device_id == server.id)
                stack = stack_of_metadata(server.metadata or {})
                metadata = frozenset((server.metadata or {}).items())
                yield CloudObject(Kind.SERVER, server.id, server.name, stack, plugged, server.status, metadata)
        for group in self._all(Kind.SERVER_GROUP, self._cloud.compute.server_groups):
            yield CloudObject(Kind.SERVER_GROUP, group.id, group.name, None, frozenset(group.member_ids or ()))

    def _volumes(self) -> Iterator[CloudObject]:
        for volume in self._all(Kind.VOLUME, self._cloud.block_storage.volumes):
            if volume.status not in LEAVING:
                stack = stack_of_metadata(volume.metadata or {})
                metadata = frozenset((volume.metadata or {}).items())
                name = volume.name or ""
                yield CloudObject(Kind.VOLUME, volume.id, name, stack, frozenset(), volume.status, metadata)
            # A root disk in Cinder is its server's.
            for attachment in () if volume.is_bootable and not volume.metadata else volume.attachments or ():
                server = attachment["server_id"]
                yield CloudObject(
                    Kind.ATTACHMENT,
                    f"{server}/{volume.id}",
                    f"of {volume.name or volume.id} to {server}",
                    None,
                    frozenset({server, volume.id}),
                )

    def _shares(self, ports: list[Any]) -> Iterator[CloudObject]:
        if not has_service(self._cloud, SHARES):
            self.unlisted |= {Kind.SHARE, Kind.ACCESS}
            return
        # A rule that lets a node in is of the node's port, too. An address can be in several networks.
        holders = {each["ip_address"]: one.id for one in ports if _stack(one) == self._stack for each in one.fixed_ips}
        for share in self._all(Kind.SHARE, self._cloud.shared_file_system.shares):
            if share.status in LEAVING:
                continue
            metadata = share.metadata or {}
            stack = stack_of_metadata(metadata)
            about = (frozenset[str](), share.status, frozenset(metadata.items()))
            yield CloudObject(Kind.SHARE, share.id, share.name or "", stack, *about)
            if stack == self._stack:
                yield from self._accesses(share, holders)

    def _accesses(self, share: Any, holders: Mapping[str, str]) -> Iterator[CloudObject]:
        rules = self._all(Kind.ACCESS, lambda: self._cloud.shared_file_system.access_rules(share))
        for rule in rules:
            if rule.state not in LEAVING:
                parents = frozenset({share.id, holders.get(rule.access_to, rule.access_to)})
                name = f"of {share.name}: {rule.access_type} {rule.access_to} {rule.access_level}"
                yield CloudObject(Kind.ACCESS, f"{share.id}/{rule.id}", name, None, parents)


def _stack(one: Any) -> str | None:
    return stack_of(one.tags or (), one.description)


def _labelled(kind: Kind, one: Any, *parents: str) -> CloudObject:
    return CloudObject(kind, one.id, one.name or "", _stack(one), frozenset(parents))


def _is_service(port: Any) -> bool:
    """Whether a port is one of Neutron's own, as of a DHCP server."""
    owner = port.device_owner or ""
    return owner.startswith("network:") and not owner.startswith(ROUTER_OWNERS)


def _port(port: Any) -> CloudObject:
    if (port.device_owner or "").startswith(ROUTER_OWNERS):
        addresses = ", ".join(address["ip_address"] for address in port.fixed_ips or ())
        # The router may be the site's own; the network says whose port it is.
        return CloudObject(Kind.ROUTER_PORT, port.id, addresses, None, frozenset({port.network_id}))
    stack = _stack(port)
    # Of a port that somebody plugged into a server by hand, the server says whose it is.
    plugged = {port.device_id} if port.device_id and not stack else set()
    groups = frozenset(port.security_group_ids or ())
    parents = frozenset({port.network_id, *plugged})
    return CloudObject(Kind.PORT, port.id, port.name or "", stack, parents, groups=groups)


def _rule(rule: Any, group: Any, remote: Any | None) -> str:
    ports = (
        f"{rule.port_range_min}"
        if rule.port_range_min == rule.port_range_max
        else (f"{rule.port_range_min}-{rule.port_range_max}")
    )
    far = remote.name if remote else rule.remote_group_id or rule.remote_ip_prefix or "anywhere"
    return rule_name(group.name, rule.direction, rule.protocol, ports, far)
