"""The matrix of one stack: the flows of `model.firewall` for its nodes, as security group rules and host firewalls.

Flows go between the nodes of one scope (a release, or the bastion's network), and between the bastion's scope and each
release; releases do not reach each other.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from functools import cache
from ipaddress import IPv4Address, IPv4Network

from model import firewall, nfs
from model.firewall import (
    ANYWHERE,
    EVERY_NODE,
    FETCH_PORTS,
    FETCHERS,
    FLOWS,
    METADATA,
    OMERO_SSL_PORT,
    SSH_PORT,
    STORAGE,
    WORLD,
    Direction,
    End,
    Flow,
    Rule,
    group_name,
)
from model.flow_fields import Transport
from model.manila import OPTIONS, ManilaShare
from model.nfs import NfsMount
from model.plan import Node, Plan, Scope
from model.programs import SERVER_PORTS, Carrier
from model.raw_storage import of_kind
from model.roles import OMERO_ROLES, Role
from model.settings import Settings


def flows(plan: Plan, scope: Scope) -> Iterator[Flow]:
    """Return the flows of the matrix that apply in `scope`, restricted by the settings."""
    narrowed = {SSH_PORT: plan.settings.ssh_from}
    narrowed |= dict.fromkeys((OMERO_SSL_PORT, *SERVER_PORTS), plan.settings.omero_from)
    for flow in _needed(plan.settings, scope):
        networks = narrowed.get(flow.port, ()) if flow.source == WORLD else ()
        yield from (replace(flow, source=network) for network in networks)
        if not networks:
            yield flow
    yield from _extra(plan.settings)


def bastion_ports(plan: Plan) -> tuple[int, ...]:
    """Return the ports to which the bastion forwards operators' connections."""
    not_served = unserved(plan.settings, ())
    served = (*(flow for flow in FLOWS if flow.port not in not_served), *_extra(plan.settings))
    return tuple(sorted({flow.port for flow in served if flow.source == Role.BASTION and flow.transport == "tcp"}))


def unserved(settings: Settings, nodes: Collection[Carrier]) -> frozenset[int]:
    """Return ports of the matrix on which no service of these nodes listens."""
    ports = firewall.unserved(settings.omero.distribution, settings.visitors, nodes)
    # A proxy that another tool configures has its own ports for this, which `flows` open.
    return ports if settings.configure else ports.union(SERVER_PORTS)


def _needed(settings: Settings, scope: Scope) -> Iterator[Flow]:
    not_served = unserved(settings, scope.nodes)
    shared = _omero_beside_proxy(scope)
    is_closed = settings.proxies.http is not None
    for flow in FLOWS:
        if flow.port in not_served or (is_closed and flow.target == WORLD and flow.port in FETCH_PORTS):
            continue
        if flow.source == WORLD and flow.port == OMERO_SSL_PORT and shared:
            # OMERO.server itself listens on the port there, so nginx cannot.
            yield from (replace(flow, target=role) for role in shared)
        elif flow.target == STORAGE:
            # No rule where nothing is mounted.
            for end, options in _mounted(settings).items():
                for transport, port in nfs.ports(options):
                    yield replace(flow, target=end, transport=transport, port=port)
        else:
            yield flow
    if is_closed:
        yield Flow(EVERY_NODE, METADATA, 80, "the cloud's metadata")
    for network, port in settings.proxies.endpoints():
        yield Flow(EVERY_NODE, network, port, "packages and downloads through the site's proxy", users=FETCHERS)


def _mounted(settings: Settings) -> dict[End, list[str]]:
    """Return the mount options of NFS servers outside the stack, by the servers' networks."""
    raw = settings.raw_images()
    mounted: dict[End, list[str]] = {}
    for mount in of_kind(raw, NfsMount):
        address = None if settings.storage_network else mount.only_server()
        mounted.setdefault(_alone(address) if address else STORAGE, []).append(mount.options)
    if shares := of_kind(raw, ManilaShare):
        mounted.setdefault(STORAGE, []).extend(OPTIONS for _ in shares)
    return mounted


def _extra(settings: Settings) -> tuple[Flow, ...]:
    """Return the flows that the stack adds to the matrix."""
    return (*settings.site_flows(), *(flow for extra in settings.flows for flow in extra.flows()))


def _omero_beside_proxy(scope: Scope) -> tuple[Role, ...]:
    """Return the OMERO roles of nodes that are also a proxy: these serve OMERO clients directly."""
    roles = {role for node in scope.with_role(Role.PROXY) for role in node.roles}
    return tuple(sorted(OMERO_ROLES.intersection(roles)))


def rules(plan: Plan, scope: Scope) -> tuple[Rule, ...]:
    """Return the rules of a scope's security groups, each once, in the order of the matrix."""
    first: dict[Rule, Rule] = {}
    for flow in flows(plan, scope):
        ends: tuple[tuple[End, End, Direction], ...] = (
            (flow.target, flow.source, "ingress"),
            (flow.source, flow.target, "egress"),
        )
        for own_end, other_end, direction in ends:
            if not _nodes(scope, own_end):
                continue
            group = group_name(scope.name, own_end)
            for remote_group, cidr in _remotes(plan, scope, own_end, other_end):
                rule = Rule(group, direction, flow.transport, flow.port, remote_group, cidr, flow.why)
                # Neutron refuses two equal rules, whatever their descriptions.
                first.setdefault(replace(rule, why=""), rule)
    return tuple(first.values())


def _nodes(scope: Scope, end: End) -> tuple[Node, ...]:
    """Return the nodes of a scope at one end of a flow."""
    return tuple(node for node in scope.nodes if end == EVERY_NODE or end in node.roles)


def _remotes(plan: Plan, scope: Scope, own_end: End, other_end: End) -> Iterator[tuple[str | None, str | None]]:
    # If one node is both ends, the traffic is local and needs no rule.
    if any(one.address != other.address for one in _nodes(scope, own_end) for other in _nodes(scope, other_end)):
        yield group_name(scope.name, other_end), None
    for cidr in _outside(plan, scope, other_end):
        yield None, str(cidr)


def _outside(plan: Plan, scope: Scope, end: End) -> Iterator[IPv4Network]:
    """Yield the addresses of an end outside this scope, as CIDRs: groups of another scope may not exist yet."""
    if end == WORLD:
        yield ANYWHERE
    elif end == STORAGE:
        yield plan.settings.storage_network.cidr if plan.settings.storage_network else ANYWHERE
    elif isinstance(end, IPv4Network):
        yield end
    else:
        for other in plan.releases if scope.name == plan.bastion.name else (plan.bastion,):
            if end == EVERY_NODE:
                yield other.subnet.cidr
            else:
                yield from (_alone(node.address) for node in _nodes(other, end))


@dataclass(frozen=True)
class Allow:
    """One line of a host firewall: `port` from (ingress) or to (egress) the CIDRs in `peers`."""

    transport: Transport
    port: int
    peers: tuple[str, ...]
    why: str
    users: tuple[str, ...] = ()
    """The accounts that are allowed; empty: all of them."""


@dataclass(frozen=True)
class HostRules:
    """The rules of a node's own firewall. It drops other ingress and rejects other egress."""

    ingress: tuple[Allow, ...]
    egress: tuple[Allow, ...]

    @property
    def public_ports(self) -> tuple[int, ...]:
        """The TCP ports, except ssh's, that are open to the world."""
        world = (str(ANYWHERE),)
        tcp = (allow for allow in self.ingress if allow.transport == "tcp" and allow.port != SSH_PORT)
        return tuple(allow.port for allow in tcp if allow.peers == world)


def host_rules(plan: Plan, node: Node) -> HostRules:
    """Return the matrix for one node's firewall, by address."""
    scope = plan.scope_of(node)

    def concerns(end: End) -> bool:
        return end == EVERY_NODE or end in node.roles

    all_flows = tuple(flows(plan, scope))
    return HostRules(
        ingress=tuple(
            Allow(flow.transport, flow.port, peers, flow.why)
            for flow in all_flows
            if concerns(flow.target) and (peers := _peers(plan, scope, node, flow.source))
        ),
        egress=tuple(
            Allow(flow.transport, flow.port, peers, flow.why, flow.users)
            for flow in all_flows
            if concerns(flow.source) and (peers := _destinations(plan, scope, node, flow))
        ),
    )


def _destinations(plan: Plan, scope: Scope, node: Node, flow: Flow) -> tuple[str, ...]:
    if flow.source == Role.BASTION:
        # When a release is retired, its nodes are stopped through the bastion after the bastion was configured without
        # them. So the host firewall leaves this open, and the security group restricts it.
        return (str(ANYWHERE),)
    return _peers(plan, scope, node, flow.target)


def _peers(plan: Plan, scope: Scope, node: Node, end: End) -> tuple[str, ...]:
    inside = (_alone(peer.address) for peer in _nodes(scope, end) if peer.address != node.address)
    return tuple(str(network) for network in sorted({*inside, *_outside(plan, scope, end)}))


@cache
def _alone(address: IPv4Address) -> IPv4Network:
    # Cached, because each node needs the address of every other: it took a third of the planning of 100 nodes.
    return IPv4Network(address)
