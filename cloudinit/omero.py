"""What the templates of OMERO's own roles can print, beside `cloudinit.contexts.Common`."""

from dataclasses import dataclass
from typing import Literal, Self

from cloudinit.source import Source
from model.firewall import OMERO_SSL_PORT, OMERO_WEBSOCKET_PORT
from model.omero_nodes import database_user, is_readonly, mounts, readonly_nodes
from model.plan import Node
from model.roles import OMERO_ROLES, Role
from model.settings import Download, NfsMount
from model.visitors import Visitors


@dataclass(frozen=True, repr=False)
class Server:
    """OMERO.server, or the demo in its place. Without a public user, `public_password` is empty.

    `users_password` is that of the demo's users, which has no other accounts.
    """

    visitors: Visitors
    database: Node
    database_user: str
    database_password: str
    public_password: str
    users_password: str
    pool_size: int
    is_readonly: bool
    ssl_port: int
    websocket_port: int

    @classmethod
    def of(cls, source: Source) -> Self:
        """The values for a node."""
        user, settings = database_user(source.node), source.plan.settings
        return cls(
            visitors=settings.visitors,
            database=source.first(Role.DATABASE),
            database_user=user,
            database_password=source.password(f"database/{user}"),
            public_password=settings.public_password if settings.visitors == Visitors.PUBLIC else "",
            users_password=source.password("omero/root"),
            pool_size=settings.omero.pool_size,
            is_readonly=is_readonly(source.node),
            ssl_port=OMERO_SSL_PORT,
            websocket_port=OMERO_WEBSOCKET_PORT,
        )


@dataclass(frozen=True, repr=False)
class Accounts:
    """OMERO's schema and accounts. The database of the live release is not upgraded."""

    root_password: str
    upgrade: Literal["allowed", "refused"]

    @classmethod
    def of(cls, source: Source) -> Self:
        """The values for a node."""
        is_live = source.release.name == source.plan.settings.live
        return cls(root_password=source.password("omero/root"), upgrade="refused" if is_live else "allowed")


@dataclass(frozen=True)
class Downloads:
    """The archives of the official distribution that a node needs, by the name of the part."""

    archives: dict[str, Download]

    @classmethod
    def of(cls, source: Source) -> Self:
        """The values for a node: OMERO.web alone needs no more than Ice for Python."""
        omero = source.plan.settings.omero
        has_server = bool(OMERO_ROLES.intersection(source.node.roles))
        server: dict[str, Download | None] = {"server": omero.server, "ice": omero.ice} if has_server else {}
        parts = server | {"ice-python": omero.ice_python}
        return cls(archives={name: part for name, part in parts.items() if part})


@dataclass(frozen=True)
class Mounts:
    """What a node mounts over the network."""

    mounts: tuple[NfsMount, ...]

    @classmethod
    def of(cls, source: Source) -> Self:
        """The values for a node."""
        return cls(mounts=mounts(source.node, source.plan))


@dataclass(frozen=True)
class Exports:
    """The nodes that the read-write server shares its files with."""

    readonly_nodes: tuple[Node, ...]

    @classmethod
    def of(cls, source: Source) -> Self:
        """The values for a node."""
        return cls(readonly_nodes=readonly_nodes(source.release))
