"""What the templates of OMERO's own roles can print, beside `cloudinit.contexts.Common`."""

from dataclasses import dataclass
from typing import Literal, Self

from cloudinit.source import Source
from model import addons
from model.downloads import Download, Jar
from model.firewall import OMERO_SSL_PORT, OMERO_WEBSOCKET_PORT
from model.nfs import NfsMount
from model.object_stores import S3Mount
from model.omero_nodes import database_user, is_readonly, mounts, readonly_nodes
from model.plan import Node
from model.roles import OMERO_ROLES, Role
from model.visitors import Visitors


@dataclass(frozen=True)
class PlacedJar:
    """A jar by the setting that names it, and where it goes in OMERO.server's folder."""

    setting: str
    path: str


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
    jars: tuple[PlacedJar, ...]
    addons: str
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
            jars=_placed(settings.omero.jars),
            addons=settings.omero.addons.text if settings.omero.addons else "",
            is_readonly=is_readonly(source.node),
            ssl_port=OMERO_SSL_PORT,
            websocket_port=OMERO_WEBSOCKET_PORT,
        )


def _placed(jars: tuple[Jar, ...]) -> tuple[PlacedJar, ...]:
    return tuple(PlacedJar(f"omero.jars.{number}", path) for number, jar in enumerate(jars) for path in jar.paths)


@dataclass(frozen=True)
class WebPackages:
    """The lock file of OMERO.web's environment: the program's packages, and those of the stack file."""

    requirements: str

    @classmethod
    def of(cls, source: Source) -> Self:
        """The values for a node."""
        return cls(requirements=addons.together(addons.WEB, source.plan.settings.web.requirements))


@dataclass(frozen=True, repr=False)
class Accounts:
    """OMERO's schema and accounts. The database of the live release is not upgraded."""

    root_password: str
    upgrade: Literal["allowed", "refused"] | None

    @classmethod
    def of(cls, source: Source) -> Self:
        """The values for a node."""
        return cls(root_password=source.password("omero/root"), upgrade=source.node.limits.schema_upgrade)


@dataclass(frozen=True)
class Downloads:
    """The files that a node fetches, by the setting that names each."""

    archives: dict[str, Download]

    @classmethod
    def of(cls, source: Source) -> Self:
        """The values for a node: OMERO.web alone needs no more of OMERO than Ice for Python."""
        settings, roles = source.plan.settings, source.node.roles
        parts: dict[str, Download | None] = {}
        if OMERO_ROLES.intersection(roles):
            parts |= {f"omero.{name}": part for name, part in settings.omero.parts().items()}
        elif Role.WEB in roles:
            parts |= {"omero.icePython": settings.omero.ice_python}
        if Role.PROXY in roles:
            parts |= {"site.pages": settings.site.pages}
        return cls(archives={name: part for name, part in parts.items() if part})


@dataclass(frozen=True)
class Mounts:
    """What a node mounts over the network."""

    mounts: tuple[NfsMount, ...]

    @classmethod
    def of(cls, source: Source) -> Self:
        """The values for a node."""
        return cls(mounts=mounts(source.node, source.plan))


@dataclass(frozen=True, repr=False)
class Buckets:
    """The buckets of object stores that a node mounts."""

    buckets: tuple[S3Mount, ...]

    @classmethod
    def of(cls, source: Source) -> Self:
        """The values for a node."""
        return cls(buckets=source.plan.settings.s3_mounts)


@dataclass(frozen=True)
class ReadWrite:
    """Whom the read-write server shares its files with, and where images can be that it imports in place.

    All of a release's OMERO nodes must have these at the same path: on `image_mounts` they do, in `image_folders` of
    this node only where there are no others. `database_gib` is 0 where the database has no volume.
    """

    readonly_nodes: tuple[Node, ...]
    image_mounts: tuple[str, ...]
    image_folders: tuple[str, ...]
    database: Node
    database_user: str
    database_gib: int

    @classmethod
    def of(cls, source: Source) -> Self:
        """The values for a node."""
        settings, others, database = source.plan.settings, readonly_nodes(source.release), source.first(Role.DATABASE)
        return cls(
            readonly_nodes=others,
            image_mounts=(*(nfs.mount for nfs in settings.nfs_mounts), *(s3.mount for s3 in settings.s3_mounts)),
            image_folders=() if others else tuple(one.mount for one in source.node.volumes if one.purpose == "data"),
            database=database,
            database_user=database_user(source.node),
            database_gib=sum(volume.size_gib for volume in database.volumes if volume.purpose == "db"),
        )
