"""Who may reach which port of whom: one table, for security groups, host firewalls and the readable matrix.

What is not in the table is closed, in and out. Flows go between the nodes of one scope (a release, or the bastion's
network), and between the bastion's scope and each release; releases do not reach each other.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from ipaddress import IPv4Address, IPv4Network
from typing import Final, Literal, Protocol

from model.flow_fields import Transport
from model.roles import OMERO_ROLES, NodeRole, Role, SiteRole

WORLD: Final = "world"
EVERY_NODE: Final = "node"
"""Group that every node of a scope is in; it carries what is the same for all of them."""
STORAGE: Final = "storage"
"""The site's NFS servers with the raw images."""

SSH_PORT = 22
OMERO_SSL_PORT = 4064
OMERO_WEBSOCKET_PORT = 4066
"""OMERO's own number for websockets over TLS; the one without TLS, 4065, is served by nobody."""
WEB_PORT = 4080
CACHE_BYPASS_PORT = 9000
"""The proxy's uncached door for operators, through the bastion only."""
NODE_EXPORTER_PORT = 9100
NFS_PORT = 2049
"""NFS version 4 needs no other; what version 3 needs, `model.nfs` says."""

ANYWHERE = IPv4Network("0.0.0.0/0")
METADATA = IPv4Network("169.254.169.254/32")
FETCH_PORTS = frozenset({80, 443})
FETCHERS = ("root", "_apt")
"""Who fetches from the world: apt gives its downloads to an account of its own. Services have nothing to fetch."""

Direction = Literal["ingress", "egress"]
End = NodeRole | Literal["world", "node", "storage"] | IPv4Network
"""Either side of a flow; a network or a role of the site's own only in those that a stack adds."""


@dataclass(frozen=True)
class Flow:
    """From every node of the role `source` to `port` of every node of the role `target`; either may be wider."""

    source: End
    target: End
    port: int
    why: str
    transport: Transport = "tcp"
    users: tuple[str, ...] = ()
    """The accounts of the source that may, by its host firewall; empty: all of them."""


FLOWS: tuple[Flow, ...] = (
    Flow(WORLD, Role.BASTION, SSH_PORT, "operators come in here and nowhere else"),
    Flow(WORLD, Role.PROXY, 80, "redirected to https"),
    Flow(WORLD, Role.PROXY, 443, "web pages and JSON API"),
    Flow(WORLD, Role.PROXY, OMERO_SSL_PORT, "OMERO clients"),
    Flow(Role.BASTION, EVERY_NODE, SSH_PORT, "operators' jump and configuration"),
    Flow(Role.BASTION, Role.PROXY, CACHE_BYPASS_PORT, "operators' uncached way in"),
    Flow(Role.MANAGEMENT, EVERY_NODE, NODE_EXPORTER_PORT, "node metrics"),
    Flow(Role.MANAGEMENT, Role.PROXY, 443, "warming the caches"),
    Flow(Role.PROXY, Role.WEB, WEB_PORT, "OMERO.web"),
    *(Flow(Role.PROXY, role, OMERO_SSL_PORT, "OMERO clients") for role in sorted(OMERO_ROLES)),
    *(Flow(Role.PROXY, role, OMERO_WEBSOCKET_PORT, "OMERO clients over websockets") for role in sorted(OMERO_ROLES)),
    *(Flow(Role.WEB, role, OMERO_SSL_PORT, "OMERO.web's server") for role in sorted(OMERO_ROLES)),
    *(Flow(role, Role.DATABASE, 5432, "OMERO's database") for role in sorted(OMERO_ROLES)),
    Flow(Role.OMERO_READONLY, Role.OMERO_READWRITE, NFS_PORT, "OMERO's files and the Bio-Formats cache"),
    *(Flow(role, STORAGE, NFS_PORT, "raw images") for role in sorted(OMERO_ROLES)),
    Flow(Role.WEB, Role.REDIS, 6379, "sessions and caches"),
    Flow(EVERY_NODE, WORLD, 53, "names", "udp"),
    Flow(EVERY_NODE, WORLD, 53, "names, long answers"),
    Flow(EVERY_NODE, WORLD, 123, "time", "udp"),
    Flow(EVERY_NODE, WORLD, 80, "packages, the cloud's metadata", users=FETCHERS),
    Flow(EVERY_NODE, WORLD, 443, "packages, OMERO's downloads", users=FETCHERS),
)

EVERY_NODE_LISTENS = (SSH_PORT, NODE_EXPORTER_PORT)
LISTENERS: dict[Role, tuple[int, ...]] = {
    role: tuple(sorted({flow.port for flow in FLOWS if flow.target == role} - set(EVERY_NODE_LISTENS))) for role in Role
}
"""Ports on which the services of the program's roles wait."""


def listeners(role: NodeRole) -> tuple[int, ...]:
    """The TCP ports on which a role's own services wait."""
    return role.description.listens() if isinstance(role, SiteRole) else LISTENERS[role]


class Member(Protocol):
    """What the matrix must know of a node."""

    @property
    def roles(self) -> tuple[NodeRole, ...]:
        """What it does."""

    @property
    def address(self) -> IPv4Address:
        """Its fixed address."""


@dataclass(frozen=True)
class Zone:
    """The nodes of one scope and their network."""

    name: str
    cidr: IPv4Network
    members: tuple[Member, ...]

    def having(self, role: End) -> tuple[Member, ...]:
        """The members that carry `role`; all of them for EVERY_NODE."""
        return tuple(member for member in self.members if role == EVERY_NODE or role in member.roles)


@dataclass(frozen=True)
class Site:
    """All scopes of a stack, and what of its surroundings the matrix depends on."""

    bastion: Zone
    releases: tuple[Zone, ...]
    storage: IPv4Network | None = None
    """Where the raw images' servers are; None: nothing is mounted."""
    storage_ports: tuple[tuple[Transport, int], ...] = (("tcp", NFS_PORT),)
    """What is mounted from there needs."""
    proxies: tuple[tuple[IPv4Network, int], ...] = ()
    """Where packages and downloads are fetched through."""
    closed: bool = False
    """Whether nothing is fetched past the proxies."""
    narrowed: Mapping[int, tuple[IPv4Network, ...]] = field(default_factory=dict)
    """The networks from which alone the world may reach a port; none: from anywhere."""
    unserved: frozenset[int] = frozenset()
    """Ports that this distribution of OMERO has no service on."""
    extra: tuple[Flow, ...] = ()
    """The flows that the stack adds to the matrix."""

    def zone(self, name: str) -> Zone:
        """The scope of that name."""
        return {zone.name: zone for zone in (self.bastion, *self.releases)}[name]

    def reached_from(self, zone: Zone) -> tuple[Zone, ...]:
        """The scopes other than `zone` that it exchanges anything with."""
        return self.releases if zone.name == self.bastion.name else (self.bastion,)

    def flows(self, zone: Zone) -> Iterator[Flow]:
        """The matrix as it holds in `zone`: without what nothing here needs, and as narrow as the stack says."""
        for flow in self._needed(zone):
            networks = self.narrowed.get(flow.port, ()) if flow.source == WORLD else ()
            yield from (replace(flow, source=network) for network in networks)
            if not networks:
                yield flow
        yield from self.extra

    def _needed(self, zone: Zone) -> Iterator[Flow]:
        shared = omero_beside_proxy(zone.members)
        for flow in FLOWS:
            if flow.port in self.unserved or (flow.target == STORAGE and self.storage is None):
                continue
            if self.closed and flow.target == WORLD and flow.port in FETCH_PORTS:
                continue
            if flow.source == WORLD and flow.port == OMERO_SSL_PORT and shared:
                # The port is OMERO's own there; nginx would have to fight for it.
                yield from (replace(flow, target=role) for role in shared)
            elif flow.target == STORAGE:
                yield from (replace(flow, transport=transport, port=port) for transport, port in self.storage_ports)
            else:
                yield flow
        if self.closed:
            yield Flow(EVERY_NODE, METADATA, 80, "the cloud's metadata")
        for network, port in self.proxies:
            yield Flow(EVERY_NODE, network, port, "packages and downloads through the site's proxy", users=FETCHERS)

    def bastion_ports(self) -> tuple[int, ...]:
        """The ports to which the bastion passes operators' connections on."""
        flows = (*FLOWS, *self.extra)
        return tuple(sorted({f.port for f in flows if f.source == Role.BASTION and f.transport == "tcp"}))


def omero_beside_proxy(members: Iterable[Member]) -> tuple[Role, ...]:
    """The OMERO roles of nodes that are a proxy as well: these serve OMERO clients themselves."""
    roles = {role for member in members if Role.PROXY in member.roles for role in member.roles}
    return tuple(sorted(OMERO_ROLES.intersection(roles)))


def listens(roles: Iterable[NodeRole], unserved: frozenset[int] = frozenset()) -> tuple[int, ...]:
    """The ports on which a node with these roles waits for others, sorted; twice where two roles contend for one.

    A proxy leaves OMERO's port to an OMERO.server on the same node.
    """
    carried = set(roles)
    ports = [*EVERY_NODE_LISTENS, *(port for role in carried for port in listeners(role) if port not in unserved)]
    if Role.PROXY in carried and carried & OMERO_ROLES:
        ports.remove(OMERO_SSL_PORT)
    return tuple(sorted(ports))


@dataclass(frozen=True)
class Rule:
    """One rule of the security group `group`, to or from (by `direction`) a group or a CIDR."""

    group: str
    direction: Direction
    transport: Transport
    port: int
    remote_group: str | None
    remote_cidr: str | None
    why: str


def group_name(scope: str, target: End) -> str:
    """Security group of a role (or of every node) in a release; names are per release, never tenancy-global."""
    return f"{scope}-{target}"


def rules(site: Site, zone: Zone) -> tuple[Rule, ...]:
    """The rules of one scope's security groups, without repetition, in the order of the matrix."""
    found: dict[Rule, Rule] = {}
    for flow in site.flows(zone):
        ends: tuple[tuple[End, End, Direction], ...] = (
            (flow.target, flow.source, "ingress"),
            (flow.source, flow.target, "egress"),
        )
        for here, there, direction in ends:
            if not zone.having(here):
                continue
            group = group_name(zone.name, here)
            for remote_group, cidr in _remotes(site, zone, here, there):
                rule = Rule(group, direction, flow.transport, flow.port, remote_group, cidr, flow.why)
                # Neutron refuses the same rule a second time, whatever it is for.
                found.setdefault(replace(rule, why=""), rule)
    return tuple(found.values())


def _remotes(site: Site, zone: Zone, here: End, there: End) -> Iterator[tuple[str | None, str | None]]:
    # A node alone with both ends talks to itself, past every firewall.
    if any(one.address != other.address for one in zone.having(here) for other in zone.having(there)):
        yield group_name(zone.name, there), None
    for cidr in _outside(site, zone, there):
        yield None, str(cidr)


def _outside(site: Site, zone: Zone, role: End) -> Iterator[IPv4Network]:
    """Where nodes of `role` are beyond this scope: as CIDRs, since another scope's groups may not be there yet."""
    if role == WORLD:
        yield ANYWHERE
    elif role == STORAGE:
        yield site.storage or ANYWHERE
    elif isinstance(role, IPv4Network):
        yield role
    else:
        for other in site.reached_from(zone):
            if role == EVERY_NODE:
                yield other.cidr
            else:
                yield from (_alone(member.address) for member in other.having(role))


@dataclass(frozen=True)
class Allow:
    """One line of a host firewall: `port` from (ingress) or to (egress) the CIDRs in `peers`."""

    transport: Transport
    port: int
    peers: tuple[str, ...]
    why: str
    users: tuple[str, ...] = ()
    """The accounts that may; empty: all of them."""


@dataclass(frozen=True)
class HostRules:
    """What a node's own firewall lets in and out; everything else is dropped."""

    ingress: tuple[Allow, ...]
    egress: tuple[Allow, ...]

    @property
    def public_ports(self) -> tuple[int, ...]:
        """The TCP ports, beside ssh's, that the whole world may reach."""
        world = (str(ANYWHERE),)
        tcp = (allow for allow in self.ingress if allow.transport == "tcp" and allow.port != SSH_PORT)
        return tuple(allow.port for allow in tcp if allow.peers == world)


def host_rules(site: Site, zone: Zone, member: Member) -> HostRules:
    """The matrix as one node sees it, by address."""

    def concerns(role: End) -> bool:
        return role == EVERY_NODE or role in member.roles

    flows = tuple(site.flows(zone))
    return HostRules(
        ingress=tuple(
            Allow(flow.transport, flow.port, peers, flow.why)
            for flow in flows
            if concerns(flow.target) and (peers := _peers(site, zone, member, flow.source))
        ),
        egress=tuple(
            Allow(flow.transport, flow.port, peers, flow.why, flow.users)
            for flow in flows
            if concerns(flow.source) and (peers := _destinations(site, zone, member, flow))
        ),
    )


def _destinations(site: Site, zone: Zone, member: Member, flow: Flow) -> tuple[str, ...]:
    if flow.source == Role.BASTION:
        # A release that is retired is stopped through the bastion, after that was configured without it. Where the
        # bastion may go, its security group says.
        return (str(ANYWHERE),)
    return _peers(site, zone, member, flow.target)


def _peers(site: Site, zone: Zone, member: Member, role: End) -> tuple[str, ...]:
    inside = (_alone(peer.address) for peer in zone.having(role) if peer.address != member.address)
    return tuple(str(network) for network in sorted({*inside, *_outside(site, zone, role)}))


@cache
def _alone(address: IPv4Address) -> IPv4Network:
    # Every node needs every other's: for 100 nodes a third of planning was spent on repeating them.
    return IPv4Network(address)
