"""The OMERO.servers for programs, and their ports of the proxy, decided only by the nodes' roles.

If a release has read-only nodes without OMERO.web, these serve programs: a script that reads planes then does not slow
down the web.
"""

from collections.abc import Collection, Iterable
from typing import Final, Protocol, TypeVar

from model.roles import NodeRole, Role


class Carrier(Protocol):
    """A node, in settings or in a plan."""

    @property
    def roles(self) -> tuple[NodeRole, ...]:
        """The node's roles."""


Node = TypeVar("Node", bound=Carrier)

SERVER_PORTS: Final = tuple(range(14061, 14080))
"""Ports for OMERO clients that choose their server: 14060 plus its number. The IDR uses 14060 to 14079."""


def servers(nodes: Iterable[Node]) -> tuple[Node, ...]:
    """Return the nodes that serve programs, in order; the read-write node only if there is no read-only one."""
    every = tuple(nodes)
    readonly = tuple(node for node in every if Role.OMERO_READONLY in node.roles)
    dedicated = tuple(node for node in readonly if Role.WEB not in node.roles)
    return dedicated or readonly or tuple(node for node in every if Role.OMERO_READWRITE in node.roles)


def server_ports(nodes: Collection[Carrier]) -> tuple[int, ...]:
    """Return the proxy's ports for single servers, in the order of the servers.

    There are none for one server only. Servers beyond the last port have none; websockets have no such limit.
    """
    count = len(servers(nodes))
    return SERVER_PORTS[:count] if count > 1 else ()
