"""The plan: what a stack consists of, decided from its settings alone."""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

from model import firewall
from model.addressing import gateway, node_address, service_pool
from model.firewall import Rule
from model.roles import COMMON_PACKAGES, FACTS, Role
from model.settings import Flavor, NodeGroup, Omero, Settings

BASTION = "bastion"


def cloud_prefix(stack: str) -> str:
    """What the names of all of a stack's objects in the cloud begin with."""
    return f"idr-{stack}"


PLACEHOLDER = "(to be set)"


@dataclass(frozen=True)
class Volume:
    """A data volume of a node. `size_gib` may grow, never shrink."""

    name: str
    purpose: str
    size_gib: int
    mount: str


@dataclass(frozen=True)
class Node:
    """One server. `rebuild` is a number: another one asks for a new server on the same volumes and address."""

    name: str
    alias: str
    scope: str
    group: str
    number: int
    roles: tuple[Role, ...]
    address: IPv4Address
    flavor_name: str
    flavor: Flavor
    image: str
    zone: str | None
    packages: tuple[str, ...]
    security_groups: tuple[str, ...]
    volumes: tuple[Volume, ...]
    rebuild: int


@dataclass(frozen=True)
class Subnet:
    """A network with one subnet and the range that Neutron hands out by itself."""

    name: str
    cidr: IPv4Network
    gateway: IPv4Address
    pool: tuple[IPv4Address, IPv4Address]


@dataclass(frozen=True)
class Scope:
    """Nodes that stand in one subnet: a release, or the bastion's."""

    name: str
    subnet: Subnet
    security_groups: tuple[str, ...]
    rules: tuple[Rule, ...]
    nodes: tuple[Node, ...]

    def with_role(self, *roles: Role) -> tuple[Node, ...]:
        """The nodes that carry one of `roles`, in the order of their addresses."""
        found = (node for node in self.nodes if set(roles).intersection(node.roles))
        return tuple(sorted(found, key=lambda node: node.address))


@dataclass(frozen=True)
class Plan:
    """A whole stack."""

    stack: str
    external_network: str
    dns_servers: tuple[IPv4Address, ...]
    host_name: str
    operators: tuple[str, ...]
    omero: Omero
    bastion: Scope
    releases: tuple[Scope, ...]
    live: str
    protect_data: bool

    @property
    def bastion_node(self) -> Node:
        """The bastion."""
        return self.bastion.nodes[0]

    @property
    def nodes(self) -> tuple[Node, ...]:
        """Every node, the bastion first."""
        return (*self.bastion.nodes, *(node for release in self.releases for node in release.nodes))

    def release(self, name: str) -> Scope:
        """The release of that name. Raises KeyError when there is none."""
        return {release.name: release for release in self.releases}[name]

    def public_node(self) -> Node:
        """The node behind the public address: the live release's first proxy."""
        return self.release(self.live).with_role(Role.PROXY)[0]


def plan(settings: Settings, stack: str) -> Plan:
    """What the stack `stack` consists of."""
    return Plan(
        stack=stack,
        external_network=settings.external_network or PLACEHOLDER,
        dns_servers=settings.dns_servers,
        host_name=settings.host_name or f"{stack}.idr.internal",
        operators=settings.operators,
        omero=settings.omero,
        bastion=_bastion(settings),
        releases=tuple(_release(settings, name) for name in settings.releases),
        live=settings.live,
        protect_data=settings.protect_data,
    )


def _bastion(settings: Settings) -> Scope:
    bastion = settings.bastion
    group = NodeGroup(roles=(Role.BASTION,), flavor=bastion.flavor, image=bastion.image)
    node = _node(settings, BASTION, bastion.cidr, BASTION, group, None, {})
    return _scope(BASTION, bastion.cidr, (node,))


def _release(settings: Settings, name: str) -> Scope:
    release = settings.releases[name]
    nodes = tuple(
        _node(settings, name, release.cidr, group_name, group, number, release.rebuild)
        for group_name, group in release.nodes.items()
        for number in (range(1, group.count + 1) if group.count else (None,))
    )
    return _scope(name, release.cidr, nodes)


def _scope(name: str, cidr: IPv4Network, nodes: tuple[Node, ...]) -> Scope:
    roles = {role for node in nodes for role in node.roles}
    return Scope(
        name=name,
        subnet=Subnet(name, cidr, gateway(cidr), service_pool(cidr)),
        security_groups=tuple(sorted({group for node in nodes for group in node.security_groups})),
        rules=firewall.rules(name, roles, firewall.group_name(BASTION, Role.BASTION)),
        nodes=nodes,
    )


def _node(
    settings: Settings,
    scope: str,
    cidr: IPv4Network,
    group_name: str,
    group: NodeGroup,
    number: int | None,
    rebuild: dict[str, int],
) -> Node:
    alias = group_name if number is None else f"{group_name}-{number}"
    name = alias if scope == BASTION else f"{scope}-{alias}"
    packages = {package for role in group.roles for package in FACTS[role].packages}
    groups = {firewall.group_name(scope, role) for role in group.roles}
    groups.add(firewall.group_name(scope, firewall.EVERY_NODE))
    return Node(
        name=name,
        alias=alias,
        scope=scope,
        group=group_name,
        number=number or 1,
        roles=group.roles,
        address=node_address(cidr, group.roles[0], number or 1),
        flavor_name=group.flavor,
        flavor=settings.flavors[group.flavor],
        image=group.image or settings.image or PLACEHOLDER,
        zone=group.zone,
        packages=(*COMMON_PACKAGES, *sorted(packages)),
        security_groups=tuple(sorted(groups)),
        volumes=_volumes(name, group),
        rebuild=rebuild.get(alias, 0),
    )


def _volumes(node: str, group: NodeGroup) -> tuple[Volume, ...]:
    return tuple(
        Volume(f"{node}-{purpose.name}", purpose.name, group.volumes[purpose.name].size_gib, purpose.mount)
        for role in group.roles
        if (purpose := FACTS[role].volume) and purpose.name in group.volumes
    )
