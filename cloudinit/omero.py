"""What OMERO's nodes are configured with, beside the settings themselves: folders, shares, the database user."""

from model.plan import Node, Plan, Scope
from model.roles import OMERO_ROLES, Role
from model.settings import Distribution, NfsMount

BEFORE_OMERO_SERVER = ("nfs", "omero-account", "omero-downloads")

FOLDERS: dict[Distribution, dict[Role, tuple[str, ...]]] = {
    Distribution.OFFICIAL: {
        Role.OMERO_READWRITE: (*BEFORE_OMERO_SERVER, "omero-database", "omero-server", "omero-readwrite"),
        Role.OMERO_READONLY: (*BEFORE_OMERO_SERVER, "omero-readonly", "omero-server"),
        Role.WEB: ("omero-downloads", "omero-web", "web"),
    },
    # It draws its images: there is nothing to share or to mount. The guest image has OMERO.web in it.
    Distribution.DEMO: {**dict.fromkeys(OMERO_ROLES, ("omero-demo",)), Role.WEB: ("web",)},
}
"""The folders of a role's configuration, in the order in which they are applied."""


def is_readonly(node: Node) -> bool:
    """Whether the node's OMERO.server only reads."""
    return Role.OMERO_READONLY in node.roles


def readonly_nodes(release: Scope) -> tuple[Node, ...]:
    """The nodes that the read-write server shares its files with."""
    return release.with_role(Role.OMERO_READONLY)


def database_user(node: Node) -> str:
    """The database's role that the node's OMERO.server logs in as; also its password's name."""
    return "omeroreadonly" if is_readonly(node) else "omero"


def service_name(release: Scope) -> str:
    """A name in the certificates of all of a release's OMERO.servers: nginx expects one name of a whole upstream."""
    return f"omero.{release.name}.idr.internal"


def mounts(node: Node, plan: Plan) -> tuple[NfsMount, ...]:
    """What a node with the official distribution mounts over the network."""
    return plan.nfs_mounts + (_shares(plan.scope_of(node)) if is_readonly(node) else ())


def _shares(release: Scope) -> tuple[NfsMount, ...]:
    # As in IDR: the data folder aside and read-only, the Bio-Formats cache in its place and shared by all who write it.
    return tuple(
        NfsMount(source=f"{server.address}:{path}", mount=mount, options=options)
        for server in release.with_role(Role.OMERO_READWRITE)
        for path, mount, options in (
            ("/data/OMERO", "/data/OMERO-readonly", "ro,vers=4.2"),
            ("/data/BioFormatsCache", "/data/BioFormatsCache", "rw,vers=4.2"),
        )
    )
