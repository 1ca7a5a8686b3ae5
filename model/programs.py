"""Which OMERO.servers of a release programs reach, and by which ports of the proxy, decided by the nodes' roles alone.

Where read-only nodes without OMERO.web exist, these serve programs: a script that reads planes then takes nothing from
the web.
"""

from collections.abc import Collection, Iterable
from typing import Final, Protocol, TypeVar

from model.roles import NodeRole, Role


class Carrier(Protocol):
    """A node, of settings or of a plan."""

    @property
    def roles(self) -> tuple[NodeRole, ...]:
        """What it does."""


Node = TypeVar("Node", bound=Carrier)

SERVER_PORTS: Final = tuple(range(14061, 14080))
"""For OMERO clients that choose their server: its number and 14060. The IDR has 14060 to 14079 for that."""


def servers(nodes: Iterable[Node]) -> tuple[Node, ...]:
    """Those that serve programs, in the order given; the read-write one only where there is no read-only one."""
    every = tuple(nodes)
    readonly = tuple(node for node in every if Role.OMERO_READONLY in node.roles)
    dedicated = tuple(node for node in readonly if Role.WEB not in node.roles)
    return dedicated or readonly or tuple(node for node in every if Role.OMERO_READWRITE in node.roles)


def server_ports(nodes: Collection[Carrier]) -> tuple[int, ...]:
    """The proxy's ports that lead to one server each, in the order of the servers.

    None where there is one server only. A server beyond the last port has none: websockets have numbers without end.
    """
    count = len(servers(nodes))
    return SERVER_PORTS[:count] if count > 1 else ()
