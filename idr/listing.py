"""Lists what a project holds: the objects that a stack may have created, with their labels and owners."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

from idr import hidden
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
"""Kinds that have no list of their own: they are in the list of another kind."""
LEAVING = frozenset({"DELETED", "SOFT_DELETED", "deleting", "queued_to_deny", "denying"})
"""States of servers, volumes, shares and access rules that are being deleted."""
THREADS = 8


def listing(
    cloud: "Connection", stack: str, *, shares: bool = False
) -> tuple[tuple[CloudObject, ...], frozenset[Kind]]:
    """Return every object of the project that can be a stack's, and the kinds that this cloud does not list.

    About a dozen requests in two rounds, one for each kind and one for each of the stack's networks.
    Manila is asked where the stack has `shares`, for these and for the rules of each.
    """
    asked = _Listing(cloud, stack, shares=shares)
    objects = tuple(asked.objects())
    # Only then: the second round can add to them.
    return objects, frozenset(asked.unlisted)


def _at_once(questions: Iterable[Callable[[], Any]]) -> list[Any]:
    """Return the results of requests that run in parallel. Raises the first error."""
    with ThreadPoolExecutor(THREADS) as pool:
        return [future.result() for future in [pool.submit(ask) for ask in questions]]


class _Listing:
    """The answers of the first round, which its creation sends; `objects` sends the second."""

    def __init__(self, cloud: "Connection", stack: str, *, shares: bool) -> None:
        mine = {"project_id": cloud.current_project_id}
        network, compute, storage = cloud.network, cloud.compute, cloud.block_storage
        asked: dict[Kind, Callable[[], Iterable[Any]]] = {
            Kind.NETWORK: lambda: network.networks(**mine),
            Kind.PORT: lambda: network.ports(**mine),
            Kind.SUBNET: lambda: network.subnets(**mine),
            Kind.ROUTER: lambda: network.routers(**mine),
            Kind.FLOATING_IP: lambda: network.ips(**mine),
            Kind.SECURITY_GROUP: lambda: network.security_groups(**mine),
            Kind.RULE: lambda: network.security_group_rules(**mine),
            Kind.SERVER_GROUP: compute.server_groups,
            Kind.VOLUME: storage.volumes,
        }
        has_manila = shares and has_service(cloud, SHARES)
        if has_manila:
            asked[Kind.SHARE] = cloud.shared_file_system.shares
        self._cloud, self._network, self._stack = cloud, network, stack
        self._servers, *answers = _at_once(
            [lambda: answered(lambda: list(compute.servers())), *(partial(_listed, ask) for ask in asked.values())]
        )
        self._answers: dict[Kind, list[Any]] = {}
        self.unlisted = set() if has_manila or not shares else {Kind.SHARE, Kind.ACCESS}
        for kind, (things, why) in zip(asked, answers, strict=True):
            self._answers[kind] = things or []
            if why:
                self.unlisted |= {kind, LISTED_WITH.get(kind, kind)}

    def objects(self) -> Iterator[CloudObject]:
        networks = self._answers[Kind.NETWORK]
        ports = self._ports(networks)
        yield from (_labelled(Kind.NETWORK, one) for one in networks)
        yield from (_labelled(Kind.SUBNET, one, one.network_id) for one in self._answers[Kind.SUBNET])
        yield from (_labelled(Kind.ROUTER, one) for one in self._answers[Kind.ROUTER])
        yield from (_port(one) for one in ports if not _is_service(one))
        yield from self._floating_ips()
        yield from self._firewall()
        yield from self._compute(ports)
        yield from self._volumes()
        yield from self._shares(ports)

    def _ports(self, networks: list[Any]) -> list[Any]:
        """Return the project's own ports, and those of others in this stack's networks, such as a shared router's."""
        mine = [network.id for network in networks if _stack(network) == self._stack]
        inside = _at_once(partial(self._ports_in, network) for network in mine)
        listed = [self._answers[Kind.PORT], *inside]
        return list({port.id: port for ports in listed for port in ports}.values())

    def _ports_in(self, network: str) -> list[Any]:
        return list(self._network.ports(network_id=network))

    def _floating_ips(self) -> Iterator[CloudObject]:
        for one in self._answers[Kind.FLOATING_IP]:
            parents = frozenset({one.port_id} if one.port_id else ())
            yield CloudObject(Kind.FLOATING_IP, one.id, one.floating_ip_address, _stack(one), parents)

    def _firewall(self) -> Iterator[CloudObject]:
        groups = {group.id: group for group in self._answers[Kind.SECURITY_GROUP]}
        yield from (_labelled(Kind.SECURITY_GROUP, group) for group in groups.values())
        for rule in self._answers[Kind.RULE]:
            group = groups.get(rule.security_group_id)
            if group:
                remote = groups.get(rule.remote_group_id)
                yield CloudObject(Kind.RULE, rule.id, _rule(rule, group, remote), None, frozenset({group.id}))

    def _compute(self, ports: list[Any]) -> Iterator[CloudObject]:
        for server in self._servers:
            if server.status not in LEAVING:
                plugged = frozenset(port.id for port in ports if port.device_id == server.id)
                yield _with_metadata(Kind.SERVER, server, plugged)
        for group in self._answers[Kind.SERVER_GROUP]:
            yield CloudObject(Kind.SERVER_GROUP, group.id, group.name, None, frozenset(group.member_ids or ()))

    def _volumes(self) -> Iterator[CloudObject]:
        for volume in self._answers[Kind.VOLUME]:
            if volume.status not in LEAVING:
                yield _with_metadata(Kind.VOLUME, volume)
            # A boot volume belongs to its server.
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
        shares = [share for share in self._answers.get(Kind.SHARE, ()) if share.status not in LEAVING]
        # An access rule also belongs to the port with its address. An address can be in several networks.
        holders = {each["ip_address"]: one.id for one in ports if _stack(one) == self._stack for each in one.fixed_ips}
        yield from (_with_metadata(Kind.SHARE, share) for share in shares)
        mine = [share for share in shares if stack_of_metadata(share.metadata or {}) == self._stack]
        manila: Any = self._cloud.shared_file_system if mine else None
        answers = _at_once(partial(_listed, partial(manila.access_rules, share.id)) for share in mine)
        for share, (rules, why) in zip(mine, answers, strict=True):
            self.unlisted |= {Kind.ACCESS} if why else set()
            yield from (_access(share, rule, holders) for rule in rules or () if rule.state not in LEAVING)


def _access(share: Any, rule: Any, holders: Mapping[str, str]) -> CloudObject:
    parents = frozenset({share.id, holders.get(rule.access_to, rule.access_to)})
    name = f"of {share.name}: {rule.access_type} {rule.access_to} {rule.access_level}"
    return CloudObject(Kind.ACCESS, f"{share.id}/{rule.id}", name, None, parents)


def _listed(ask: Callable[[], Iterable[Any]]) -> tuple[list[Any] | None, str | None]:
    return answer_or_refusal(lambda: list(ask()))


def _stack(one: Any) -> str | None:
    return stack_of(one.tags or (), one.description)


def _labelled(kind: Kind, one: Any, *parents: str) -> CloudObject:
    return CloudObject(kind, one.id, one.name or "", _stack(one), frozenset(parents), hidden=hidden.of(kind, one))


def _with_metadata(kind: Kind, one: Any, parents: frozenset[str] = frozenset()) -> CloudObject:
    metadata = one.metadata or {}
    about = (stack_of_metadata(metadata), parents, one.status, frozenset(metadata.items()))
    return CloudObject(kind, one.id, one.name or "", *about, hidden=hidden.of(kind, one))


def _is_service(port: Any) -> bool:
    """Return whether a port is one of Neutron's own, as of a DHCP server."""
    owner = port.device_owner or ""
    return owner.startswith("network:") and not owner.startswith(ROUTER_OWNERS)


def _port(port: Any) -> CloudObject:
    if (port.device_owner or "").startswith(ROUTER_OWNERS):
        addresses = ", ".join(address["ip_address"] for address in port.fixed_ips or ())
        # The router may be the site's own, so the port belongs to the owner of its network.
        return CloudObject(Kind.ROUTER_PORT, port.id, addresses, None, frozenset({port.network_id}))
    stack = _stack(port)
    # A port that somebody attached to a server by hand belongs to the server's stack.
    plugged = {port.device_id} if port.device_id and not stack else set()
    groups = frozenset(port.security_group_ids or ())
    parents = frozenset({port.network_id, *plugged})
    about = (port.name or "", stack, parents)
    return CloudObject(Kind.PORT, port.id, *about, groups=groups, hidden=hidden.of(Kind.PORT, port))


def _rule(rule: Any, group: Any, remote: Any | None) -> str:
    ports = (
        f"{rule.port_range_min}"
        if rule.port_range_min == rule.port_range_max
        else (f"{rule.port_range_min}-{rule.port_range_max}")
    )
    far = remote.name if remote else rule.remote_group_id or rule.remote_ip_prefix or "anywhere"
    return rule_name(group.name, rule.direction, rule.protocol, ports, far)
