"""The contexts of the templates of OMERO's roles, beside `cloudinit.contexts.Common`."""

from dataclasses import dataclass
from typing import Literal, Self

from cloudinit.source import Source
from model import addons
from model.downloads import Download, Jar
from model.firewall import OMERO_SSL_PORT, OMERO_WEBSOCKET_PORT
from model.nfs import NfsMount
from model.object_stores import S3Mount
from model.omero_nodes import database_user, is_readonly, mounts, raw_volumes, readonly_nodes
from model.plan import Node, Volume
from model.raw_storage import FOLDERS, LinkTree, LocalPath, in_release, of_kind
from model.roles import OMERO_ROLES, Role
from model.visitors import Visitors


@dataclass(frozen=True)
class JarPath:
    """A jar's setting and its path in OMERO.server's folder."""

    setting: str
    path: str


@dataclass(frozen=True, repr=False)
class Server:
    """OMERO.server, or the demo instead. Without a public user, `public_password` is empty.

    `users_password` is the password of all users of the demo.
    """

    visitors: Visitors
    database: Node
    database_user: str
    database_password: str
    public_password: str
    users_password: str
    pool_size: int
    jars: tuple[JarPath, ...]
    addons: str
    is_readonly: bool
    ssl_port: int
    websocket_port: int

    @classmethod
    def of(cls, source: Source) -> Self:
        """Return the values for a node."""
        user, settings = database_user(source.node), source.plan.settings
        return cls(
            visitors=settings.visitors,
            database=source.first(Role.DATABASE),
            database_user=user,
            database_password=source.password(f"database/{user}"),
            public_password=settings.public_password if settings.visitors == Visitors.PUBLIC else "",
            users_password=source.password("omero/root"),
            pool_size=settings.omero.pool_size,
            jars=_jar_paths(settings.omero.jars),
            addons=settings.omero.addons.text if settings.omero.addons else "",
            is_readonly=is_readonly(source.node),
            ssl_port=OMERO_SSL_PORT,
            websocket_port=OMERO_WEBSOCKET_PORT,
        )


def _jar_paths(jars: tuple[Jar, ...]) -> tuple[JarPath, ...]:
    return tuple(JarPath(f"omero.jars.{number}", path) for number, jar in enumerate(jars) for path in jar.paths)


@dataclass(frozen=True)
class WebPackages:
    """The lock file of OMERO.web's environment: the program's packages, and those of the stack file."""

    requirements: str

    @classmethod
    def of(cls, source: Source) -> Self:
        """Return the values for a node."""
        return cls(requirements=addons.merged(addons.WEB, source.plan.settings.web.requirements))


@dataclass(frozen=True, repr=False)
class Accounts:
    """OMERO's schema and accounts. The database of the live release is not upgraded."""

    root_password: str
    upgrade: Literal["allowed", "refused"] | None

    @classmethod
    def of(cls, source: Source) -> Self:
        """Return the values for a node."""
        return cls(root_password=source.password("omero/root"), upgrade=source.node.limits.schema_upgrade)


@dataclass(frozen=True)
class Downloads:
    """The files that a node fetches, by setting."""

    archives: dict[str, Download]

    @classmethod
    def of(cls, source: Source) -> Self:
        """Return the values for a node. A node with only OMERO.web needs only Ice for Python."""
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
    """The network mounts of a node."""

    mounts: tuple[NfsMount, ...]

    @classmethod
    def of(cls, source: Source) -> Self:
        """Return the values for a node."""
        return cls(mounts=mounts(source.node, source.plan, source.export_locations))


@dataclass(frozen=True, repr=False)
class Buckets:
    """The buckets of object stores that a node mounts."""

    buckets: tuple[S3Mount, ...]

    @classmethod
    def of(cls, source: Source) -> Self:
        """Return the values for a node."""
        return cls(buckets=of_kind(source.plan.settings.raw_images(), S3Mount))


@dataclass(frozen=True)
class LocalStorage:
    """Raw images on the nodes' own disks: volumes, folders that must exist, and trees of links."""

    mounts: tuple[str, ...]
    folders: tuple[str, ...]
    links: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, source: Source) -> Self:
        """Return the values for a node."""
        raw = source.plan.settings.raw_images()
        trees = of_kind(raw, LinkTree)
        return cls(
            mounts=tuple(volume.mount for volume in raw_volumes(source.node, source.plan)),
            folders=tuple(one.mount for one in of_kind(raw, LocalPath)),
            links=tuple((f"{tree.mount}/{name}", to) for tree in trees for name, to in sorted(tree.links.items())),
        )


@dataclass(frozen=True)
class ReadWrite:
    """The clients of the read-write server's NFS exports, and the folders from which it may import in place.

    All OMERO nodes of a release must have these folders at the same path: `image_mounts` and the folders in `storage`.
    This node's own volume can be used only without other OMERO nodes. `database_gib` is 0 if the database has no
    volume. `raw_volumes` are exported too; clients identify them by `volume_ids`.
    """

    readonly_nodes: tuple[Node, ...]
    raw_volumes: tuple[Volume, ...]
    image_mounts: tuple[str, ...]
    image_folders: tuple[str, ...]
    database: Node
    database_user: str
    database_gib: int

    @classmethod
    def of(cls, source: Source) -> Self:
        """Return the values for a node."""
        raw = in_release(source.plan.settings.raw_images(), source.release.name)
        others = readonly_nodes(source.release)
        database = source.first(Role.DATABASE)
        own = [volume.mount for volume in source.node.volumes if volume.purpose == "data"]
        return cls(
            readonly_nodes=others,
            raw_volumes=raw_volumes(source.node, source.plan),
            image_mounts=tuple(one.mount for one in raw if not isinstance(one, FOLDERS)),
            image_folders=(*(one.mount for one in raw if isinstance(one, FOLDERS)), *(() if others else own)),
            database=database,
            database_user=database_user(source.node),
            database_gib=sum(volume.size_gib for volume in database.volumes if volume.purpose == "db"),
        )
