"""Which nodes of a release the proxy sends what to, decided by the nodes' roles alone.

Where read-only nodes without OMERO.web exist, they serve OMERO clients and the others serve web pages: a script that
reads planes through port 4064 then takes nothing from the web. Roles say so in the stack file, so that adding a node
never moves the load of another, as a split of sorted addresses would.
"""

from model.plan import Node, Scope
from model.roles import Role


def web(release: Scope) -> tuple[Node, ...]:
    """OMERO.web for visitors; one beside a read-write server only where there is no other."""
    every = release.with_role(Role.WEB)
    return tuple(node for node in every if Role.OMERO_READWRITE not in node.roles) or every


def operators_web(release: Scope) -> tuple[Node, ...]:
    """OMERO.web for the uncached way in: the one beside the read-write server, which no visitor waits for."""
    every = release.with_role(Role.WEB)
    return tuple(node for node in every if Role.OMERO_READWRITE in node.roles) or every


def omero(release: Scope) -> tuple[Node, ...]:
    """OMERO.server for OMERO clients and websockets; the read-write one only where there is no read-only one."""
    readonly = release.with_role(Role.OMERO_READONLY)
    dedicated = tuple(node for node in readonly if Role.WEB not in node.roles)
    return dedicated or readonly or release.with_role(Role.OMERO_READWRITE)


def shares(release: Scope) -> tuple[str, ...]:
    """What part of new OMERO clients each server of `omero` is given, as nginx's split_clients takes it."""
    count = len(omero(release))
    return (*(f"{10_000 // count / 100:.2f}%" for _ in range(count - 1)), "*")
