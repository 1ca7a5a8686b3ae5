"""Which nodes of a release the proxy sends what to, decided by the nodes' roles alone.

Roles say in the stack file which read-only nodes serve web pages and which OMERO clients (`model.programs`), so that
adding a node never moves the load of another, as a split of sorted addresses would.
"""

from typing import Final

from model import programs
from model.limits import Hop
from model.plan import Node, Scope
from model.roles import OMERO_ROLES, Role

FIRST_HOP_PORT: Final = 4180
"""Of the proxy's own servers between its cache and each OMERO.web, on loopback."""

PATIENCE: Final = {"visitors": 60, "operators": 900}
"""Seconds that an answer may take, by who waits for it."""

MARGIN: Final = 5
"""Seconds that the proxy waits longer than that, so that OMERO.web's own server says what is wrong."""

FEWEST_AT_ONCE: Final = 32
"""Uncached answers at once that are no attack, however small OMERO.web is: two pages with all that belongs to them."""


FEW_AT_ONCE: Final = 2
"""Uncached answers at once by which no visitor delays others."""


def hops(release: Scope) -> tuple[Hop, ...]:
    """All servers between the proxy's cache and OMERO.web."""
    pairs = [("visitors", node) for node in web(release)] + [("operators", node) for node in operators_web(release)]
    return tuple(
        Hop(
            audience=audience,
            node=node.name,
            address=node.address,
            port=FIRST_HOP_PORT + number,
            seconds=PATIENCE[audience],
            # More would be answered after its visitors have gone.
            at_once=FEWEST_AT_ONCE * node.sizes.web_workers,
        )
        for number, (audience, node) in enumerate(pairs)
    )


def answers_a_second(release: Scope) -> int:
    """Uncached answers that one visitor gets: half of what OMERO.web makes, when each takes a tenth of a second."""
    return 5 * sum(node.sizes.web_workers for node in web(release))


def at_once_for_one(release: Scope) -> int:
    """Uncached answers that are being made for one visitor, at most: as many as OMERO.web has processes."""
    return max(FEWEST_AT_ONCE, sum(node.sizes.web_workers for node in web(release)))


def seconds_of_web(node: Node, release: Scope) -> int:
    """How long a request may keep a process of an OMERO.web: only one that no visitor waits for may take its time."""
    return PATIENCE["visitors" if node in web(release) else "operators"]


def seconds_of_proxy(audience: str) -> int:
    """How long the proxy waits for an answer from its own servers before OMERO.web (`Hop`)."""
    return PATIENCE[audience] + MARGIN


def session_cookie(release: Scope) -> str:
    """The cookie of OMERO.web's sessions. Each release has its own, since they can have the same host name."""
    return f"sessionid_{release.name}"


def for_many_at_once(node: Node) -> int:
    """Of an OMERO.web's processes, those for the further requests of visitors with many, while others ask too."""
    return max(1, node.sizes.web_workers // 4)


def web(release: Scope) -> tuple[Node, ...]:
    """OMERO.web for visitors; one beside a read-write server only where there is no other."""
    every = release.with_role(Role.WEB)
    return tuple(node for node in every if Role.OMERO_READWRITE not in node.roles) or every


def operators_web(release: Scope) -> tuple[Node, ...]:
    """OMERO.web for operators' uncached requests: the one beside the read-write server, which no visitor waits for."""
    every = release.with_role(Role.WEB)
    return tuple(node for node in every if Role.OMERO_READWRITE in node.roles) or every


def omero(release: Scope) -> tuple[Node, ...]:
    """OMERO.server for OMERO clients and websockets, in the order of their numbers."""
    return programs.servers(release.with_role(*OMERO_ROLES))


def shares(release: Scope) -> tuple[str, ...]:
    """What part of new OMERO clients each server of `omero` is given, as nginx's split_clients takes it."""
    count = len(omero(release))
    return (*(f"{10_000 // count / 100:.2f}%" for _ in range(count - 1)), "*")
