"""The objects of a cloud that a plan depends on. None means that the cloud does not report it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address

from model.image_systems import StatedSystem

UNLIMITED = -1


@dataclass(frozen=True)
class Quota:
    """A limit of the project (-1: none) and how much of it is used."""

    limit: int
    used: int

    @property
    def free(self) -> float:
        """How much is free."""
        return float("inf") if self.limit == UNLIMITED else self.limit - self.used


@dataclass(frozen=True)
class Image:
    """An image. `size_gib` is the least size of its disk, `system` its operating system by its properties."""

    name: str
    id: str = ""
    status: str = "active"
    visibility: str = "public"
    hidden: bool = False
    size_gib: int = 0
    min_disk_gib: int = 0
    min_ram_mib: int = 0
    created: str = ""
    system: StatedSystem | None = None


@dataclass(frozen=True)
class CloudFlavor:
    """A flavor as the cloud has it."""

    name: str
    vcpus: int
    memory_mib: int
    disk_gib: int


@dataclass(frozen=True)
class Server:
    """A server of this stack, as it was requested."""

    name: str
    flavor: str | None
    vcpus: int
    memory_mib: int
    image: str | None = None
    rebuild: str | None = None
    zone: str | None = None
    id: str = ""


@dataclass(frozen=True)
class CloudSubnet:
    """A subnet and its gateway."""

    cidr: str
    gateway: str | None = None
    name: str = ""


@dataclass(frozen=True)
class CloudNetwork:
    """A network. `is_own` is whether this stack created it; `port_security` is None in a cloud without it."""

    name: str
    id: str = ""
    external: bool = False
    port_security: bool | None = None
    subnets: tuple[CloudSubnet, ...] = ()
    is_own: bool = False


@dataclass(frozen=True)
class Router:
    """A router. `external` is the id of its external network; None if it has none, empty if unknown."""

    name: str
    external: str | None = ""
    is_own: bool = False
    id: str = ""


@dataclass(frozen=True)
class Port:
    """A port of the project. `router` is the id of the router that connects its network; empty: none."""

    id: str
    name: str
    network: str
    addresses: tuple[str, ...] = ()
    is_own: bool = False
    router: str = ""


@dataclass(frozen=True)
class FloatingIp:
    """A floating IP of the project.

    `leads_to` is `public` or `bastion` for the stack's addresses, otherwise None.
    """

    address: str
    network: str = ""
    port: str | None = None
    leads_to: str | None = None


@dataclass(frozen=True)
class GroupRule:
    """A rule of a security group; `remote` is the name of a group or a CIDR."""

    direction: str
    transport: str | None
    first_port: int | None
    last_port: int | None
    remote: str | None


@dataclass(frozen=True)
class SecurityGroup:
    """A security group of the project."""

    name: str
    rules: frozenset[GroupRule] = frozenset()
    is_own: bool = False


@dataclass(frozen=True)
class CloudVolume:
    """A volume of the project. `servers` are the ids of servers to which it is attached; `type` is None if unknown."""

    id: str
    name: str
    size_gib: int
    zone: str | None = None
    is_own: bool = False
    status: str = "available"
    servers: tuple[str, ...] = ()
    type: str | None = None


@dataclass(frozen=True)
class CloudShare:
    """A Manila share of the project; `type` is None if unknown."""

    id: str
    name: str
    size_gib: int
    is_own: bool = False
    status: str = "available"
    type: str | None = None


@dataclass(frozen=True)
class Snapshot:
    """A snapshot of a volume. `size_gib` is the volume's size at that time."""

    id: str
    volume: str
    status: str = "available"
    size_gib: int = 0


@dataclass(frozen=True)
class CloudState:
    """What the cloud has for this project.

    `images` are those that the plan names, `image_names` all that there are where one of these is missing. `has_manila`
    is false where the catalogue has none; Manila is asked only for a plan with shares. `share_types` says of each
    whether it needs a share network. `quotas` are by the words that messages use; `members` limits a server group,
    `volume_gib` one volume. `unchecked` has a line for each thing that the cloud does not disclose.
    """

    servers: tuple[Server, ...] = ()
    server_groups: frozenset[str] | None = None
    flavors: tuple[CloudFlavor, ...] | None = None
    images: tuple[Image, ...] | None = None
    image_names: tuple[str, ...] = ()
    keypairs: frozenset[str] | None = None
    zones: Mapping[str, bool] | None = None
    networks: tuple[CloudNetwork, ...] | None = None
    routers: tuple[Router, ...] | None = None
    ports: tuple[Port, ...] | None = None
    floating_ips: tuple[FloatingIp, ...] | None = None
    security_groups: tuple[SecurityGroup, ...] | None = None
    volumes: tuple[CloudVolume, ...] | None = None
    snapshots: tuple[Snapshot, ...] | None = None
    volume_types: frozenset[str] | None = None
    default_type: str | None = None
    volume_zones: frozenset[str] | None = None
    has_manila: bool = True
    shares: tuple[CloudShare, ...] | None = None
    share_types: Mapping[str, bool] | None = None
    default_share_type: str | None = None
    quotas: Mapping[str, Quota] = field(default_factory=dict)
    members: int | None = None
    volume_gib: int | None = None
    unchecked: tuple[str, ...] = ()

    def floating_ip(self, address: IPv4Address) -> FloatingIp | None:
        """Return the project's floating IP with that address."""
        return next((known for known in self.floating_ips or () if known.address == str(address)), None)
