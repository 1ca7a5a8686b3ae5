"""The nodes of a release to which the proxy sends requests, decided only by the nodes' roles.

Roles in the stack file decide which read-only nodes serve web pages and which serve OMERO clients (`model.programs`).
So adding a node never changes the task of another, as a split of sorted addresses would.
"""

from typing import Final

from model import programs
from model.limits import Hop
from model.plan import Node, Scope
from model.roles import OMERO_ROLES, Role

FIRST_HOP_PORT: Final = 4180
"""The first port of the proxy's own servers (`Hop`) between its cache and each OMERO.web, on loopback."""

PATIENCE: Final = {"visitors": 60, "operators": 900}
"""Seconds that a response may take, by audience."""

MARGIN: Final = 5
"""Additional seconds that the proxy waits, so that the error comes from OMERO.web's own server."""

FEWEST_AT_ONCE: Final = 32
"""The least limit of concurrent uncached requests, however small OMERO.web is: two pages with all their files."""


FEW_AT_ONCE: Final = 2
"""Concurrent uncached requests of one visitor that delay nobody else."""


def hops(release: Scope) -> tuple[Hop, ...]:
    """Return all servers between the proxy's cache and OMERO.web."""
    pairs = [("visitors", node) for node in web(release)] + [("operators", node) for node in operators_web(release)]
    return tuple(
        Hop(
            audience=audience,
            node=node.name,
            address=node.address,
            port=FIRST_HOP_PORT + number,
            seconds=PATIENCE[audience],
            # More requests would wait longer than visitors do.
            at_once=FEWEST_AT_ONCE * node.sizes.web_workers,
        )
        for number, (audience, node) in enumerate(pairs)
    )


def answers_a_second(release: Scope) -> int:
    """Return the uncached responses per second for one visitor: half of OMERO.web's capacity, at 0.1 seconds each."""
    return 5 * sum(node.sizes.web_workers for node in web(release))


def at_once_for_one(release: Scope) -> int:
    """Return the most concurrent uncached requests of one visitor: as many as OMERO.web has processes."""
    return max(FEWEST_AT_ONCE, sum(node.sizes.web_workers for node in web(release)))


def seconds_of_web(node: Node, release: Scope) -> int:
    """Return the seconds that a request may use a process of an OMERO.web; more if it serves only operators."""
    return PATIENCE["visitors" if node in web(release) else "operators"]


def seconds_of_proxy(audience: str) -> int:
    """Return the seconds that the proxy waits for a response from its own servers before OMERO.web (`Hop`)."""
    return PATIENCE[audience] + MARGIN


def session_cookie(release: Scope) -> str:
    """Return the name of OMERO.web's session cookie.

    Each release has its own, because releases can have the same host name.
    """
    return f"sessionid_{release.name}"


def for_many_at_once(node: Node) -> int:
    """Return the processes of an OMERO.web for visitors with many requests, while others send requests too."""
    return max(1, node.sizes.web_workers // 4)


def web(release: Scope) -> tuple[Node, ...]:
    """Return the OMERO.webs that serve visitors. One on a read-write node serves them only if there is no other."""
    every = release.with_role(Role.WEB)
    return tuple(node for node in every if Role.OMERO_READWRITE not in node.roles) or every


def operators_web(release: Scope) -> tuple[Node, ...]:
    """Return the OMERO.webs for operators' uncached requests: on read-write nodes, where no visitor waits for them."""
    every = release.with_role(Role.WEB)
    return tuple(node for node in every if Role.OMERO_READWRITE in node.roles) or every


def omero(release: Scope) -> tuple[Node, ...]:
    """Return the OMERO.servers for OMERO clients and websockets, in the order of their numbers."""
    return programs.servers(release.with_role(*OMERO_ROLES))


def shares(release: Scope) -> tuple[str, ...]:
    """Return the share of new OMERO clients for each server of `omero`, in the format of nginx's split_clients."""
    count = len(omero(release))
    return (*(f"{10_000 // count / 100:.2f}%" for _ in range(count - 1)), "*")
