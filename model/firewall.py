"""The matrix: the table of allowed flows, from which security groups and host firewalls are derived.

All other ports are closed, for ingress and egress. `model.matrix` derives the rules for the nodes of a stack.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Final, Literal

from model.flow_fields import Transport
from model.programs import SERVER_PORTS, Carrier, server_ports
from model.role_description import Distribution
from model.roles import OMERO_ROLES, NodeRole, Role, SiteRole
from model.visitors import Visitors

WORLD: Final = "world"
EVERY_NODE: Final = "node"
"""The security group of every node of a scope, with the rules that all of them have."""
STORAGE: Final = "storage"
"""The site's NFS servers with the raw images, except those that are given by an address."""

SSH_PORT = 22
OMERO_SSL_PORT = 4064
OMERO_WEBSOCKET_PORT = 4066
"""OMERO's port for websockets over TLS. The one without TLS, 4065, is not served."""
WEB_PORT = 4080
CACHE_BYPASS_PORT = 9000
"""The proxy's uncached port for operators, through the bastion only."""
UPLOAD_PORT = 2222
"""SFTP for submitters: at the proxy's address, and on the node with the role `upload`."""
NODE_EXPORTER_PORT = 9100
NFS_PORT = 2049
"""The only port of NFS version 4; `model.nfs` has those of version 3."""

ANYWHERE = IPv4Network("0.0.0.0/0")
METADATA = IPv4Network("169.254.169.254/32")
FETCH_PORTS = frozenset({80, 443})
FETCHERS = ("root", "_apt")
"""The accounts that may download: root, and apt's own account. Services download nothing."""

Direction = Literal["ingress", "egress"]
End = NodeRole | Literal["world", "node", "storage"] | IPv4Network
"""One end of a flow. Only flows of a stack file have a network or a site's own role as an end."""


@dataclass(frozen=True)
class Flow:
    """A flow from every node of the role `source` to `port` of every node of the role `target`; ends may be wider."""

    source: End
    target: End
    port: int
    why: str
    transport: Transport = "tcp"
    users: tuple[str, ...] = ()
    """The accounts that the source's host firewall allows; empty: all accounts."""


FLOWS: tuple[Flow, ...] = (
    Flow(WORLD, Role.BASTION, SSH_PORT, "operators come in here and nowhere else"),
    Flow(WORLD, Role.PROXY, 80, "redirected to https"),
    Flow(WORLD, Role.PROXY, 443, "web pages and JSON API"),
    Flow(WORLD, Role.PROXY, OMERO_SSL_PORT, "OMERO clients"),
    *(
        Flow(WORLD, Role.PROXY, port, f"OMERO clients of server {number}")
        for number, port in enumerate(SERVER_PORTS, start=1)
    ),
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
    Flow(WORLD, Role.PROXY, UPLOAD_PORT, "submitters' data"),
    Flow(Role.PROXY, Role.UPLOAD, UPLOAD_PORT, "submitters' data"),
    Flow(Role.WEB, Role.REDIS, 6379, "sessions and caches"),
    Flow(EVERY_NODE, WORLD, 53, "names", "udp"),
    Flow(EVERY_NODE, WORLD, 53, "names, long answers"),
    Flow(EVERY_NODE, WORLD, 123, "time", "udp"),
    Flow(EVERY_NODE, WORLD, 80, "packages, the cloud's metadata", users=FETCHERS),
    Flow(EVERY_NODE, WORLD, 443, "packages, OMERO's downloads", users=FETCHERS),
)

UNSERVED = {
    Distribution.OFFICIAL: frozenset[int](),
    # The demo image server has no files to share.
    Distribution.DEMO: frozenset({NFS_PORT}),
}
"""Ports of the OMERO roles on which a distribution has no service."""


def unserved(distribution: Distribution, visitors: Visitors, nodes: Collection[Carrier]) -> frozenset[int]:
    """Return ports of the matrix on which no service of these nodes listens.

    The uncached port has no TLS, so it is closed where users log in.
    """
    roles = {role for node in nodes for role in node.roles}
    uncached = frozenset() if visitors == Visitors.PUBLIC else frozenset({CACHE_BYPASS_PORT})
    uploads = frozenset() if Role.UPLOAD in roles else frozenset({UPLOAD_PORT})
    return UNSERVED[distribution] | uncached | uploads | set(SERVER_PORTS).difference(server_ports(nodes))


EVERY_NODE_LISTENS = (SSH_PORT, NODE_EXPORTER_PORT)
LISTENERS: dict[Role, tuple[int, ...]] = {
    role: tuple(sorted({flow.port for flow in FLOWS if flow.target == role} - set(EVERY_NODE_LISTENS))) for role in Role
}
"""Ports on which the services of the program's roles listen."""


def listeners(role: NodeRole) -> tuple[int, ...]:
    """Return the TCP ports on which a role's own services listen."""
    return role.description.listens() if isinstance(role, SiteRole) else LISTENERS[role]


def listens(roles: Iterable[NodeRole], unserved: frozenset[int] = frozenset()) -> tuple[int, ...]:
    """Return the ports on which a node with these roles listens, sorted; twice if two roles have the same.

    A proxy does not listen on OMERO's port if an OMERO.server on the same node does.
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
    """Return the name of the security group of a role (or of every node) in a release. Names include the release."""
    return f"{scope}-{target}"
