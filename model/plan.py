"""The plan: all that a stack consists of. `model.planning` derives it from the settings, without Pulumi or cloud."""

from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network
from uuid import UUID

from model import people
from model.firewall import Rule
from model.limits import Limits
from model.people import Person
from model.raw_storage import StorageNetwork
from model.release_settings import AntiAffinity, Flavor, VolumeSource
from model.roles import NodeRole, Role, SiteRole
from model.settings import Settings
from model.sizing import Sizes
from model.systems import System

BASTION = "bastion"


def cloud_prefix(stack: str) -> str:
    """Return the prefix of the names of a stack's objects in the cloud."""
    return f"idr-{stack}"


@dataclass(frozen=True)
class Volume:
    """A data volume of a node. `size_gib` may grow, never shrink. `existing` is the id of an existing volume."""

    name: str
    purpose: str
    size_gib: int
    mount: str
    type: str | None
    source: VolumeSource | None
    existing: UUID | None

    @property
    def expected_gib(self) -> int:
        """The size that the server expects; 0 for an existing volume, which may have any size."""
        return 0 if self.existing else self.size_gib

    @property
    def is_new(self) -> bool:
        """Whether it is new and empty, so that a file system may be created on it."""
        return not (self.existing or self.source)


@dataclass(frozen=True)
class Node:
    """One server. `rebuild` is a number: changing it requests a new server with the same volumes and address.

    `listens` are the TCP ports of its services. `server_group` is Nova's server group, whose members are on different
    hosts. `omero_config` and `web_config` are keys and values of OMERO.server's and OMERO.web's configuration, which
    override those of the templates. `sizes` follow from the node, `limits` from its release.
    """

    name: str
    alias: str
    scope: str
    group: str
    number: int
    roles: tuple[NodeRole, ...]
    address: IPv4Address
    flavor_name: str
    flavor: Flavor
    system: System
    image: str
    zone: str | None
    boot_volume_gib: int | None
    storage_network: StorageNetwork | None
    server_group: str | None
    sizes: Sizes
    omero_config: tuple[tuple[str, str], ...] = field(repr=False)
    web_config: tuple[tuple[str, str], ...] = field(repr=False)
    packages: tuple[str, ...]
    security_groups: tuple[str, ...]
    listens: tuple[int, ...]
    volumes: tuple[Volume, ...]
    rebuild: int
    limits: Limits


@dataclass(frozen=True)
class Subnet:
    """A network with one subnet and the range that Neutron may assign. `existing` names an existing network."""

    name: str
    cidr: IPv4Network
    gateway: IPv4Address
    pool: tuple[IPv4Address, IPv4Address]
    existing: str | None


@dataclass(frozen=True)
class Scope:
    """Nodes in one subnet: a release, or the bastion's.

    OpenStack and Pulumi have no term for it: a project owns a whole stack, and a network has no roles. `server_groups`
    maps a group's name to its policy. Updates do not change the machines of a `frozen` scope.
    """

    name: str
    subnet: Subnet
    security_groups: tuple[str, ...]
    rules: tuple[Rule, ...]
    server_groups: dict[str, AntiAffinity]
    nodes: tuple[Node, ...]
    frozen: bool

    def with_role(self, *roles: NodeRole) -> tuple[Node, ...]:
        """Return the nodes with one of `roles`, in the order of their addresses."""
        nodes = (node for node in self.nodes if set(roles).intersection(node.roles))
        return tuple(sorted(nodes, key=lambda node: node.address))

    def site_roles(self) -> tuple[SiteRole, ...]:
        """Return the site's own roles of the nodes, by name."""
        return tuple(sorted({role for node in self.nodes for role in node.roles if isinstance(role, SiteRole)}))


@dataclass(frozen=True)
class Plan:
    """A whole stack: the settings, and what follows from them.

    `settings` are those of the stack file without the stack secrets. `operators` are keys that open the account `idr`,
    `people` have accounts of their own.
    """

    stack: str
    settings: Settings = field(repr=False)
    external_network: str
    host_name: str
    operators: tuple[str, ...]
    people: tuple[Person, ...]
    bastion: Scope
    releases: tuple[Scope, ...]

    def cloud_name(self, name: str) -> str:
        """Return the name in the cloud of a server, volume, network, security or server group of the plan."""
        return f"{cloud_prefix(self.stack)}-{name}"

    @property
    def root_keys(self) -> tuple[str, ...]:
        """Return the public keys of everybody who may become root."""
        return people.root_keys((*self.operators, *self.people))

    @property
    def bastion_node(self) -> Node:
        """The bastion."""
        return self.bastion.nodes[0]

    @property
    def scopes(self) -> tuple[Scope, ...]:
        """The bastion's scope and the releases."""
        return (self.bastion, *self.releases)

    @property
    def nodes(self) -> tuple[Node, ...]:
        """Every node, the bastion first."""
        return tuple(node for scope in self.scopes for node in scope.nodes)

    def scope_of(self, node: Node) -> Scope:
        """Return the scope of a node."""
        return {scope.name: scope for scope in self.scopes}[node.scope]

    def release(self, name: str) -> Scope:
        """Return the release of that name. Raises KeyError if there is none."""
        return {release.name: release for release in self.releases}[name]

    def public_node(self) -> Node:
        """Return the node behind the public address: the live release's first proxy."""
        return self.release(self.settings.live).with_role(Role.PROXY)[0]
