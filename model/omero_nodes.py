"""Decisions for OMERO's nodes: NFS clients, mounts, the database user, the name for TLS."""

from collections.abc import Mapping

from model import shares
from model.nfs import NfsMount
from model.plan import Node, Plan, Scope, Volume
from model.raw_storage import of_kind, volumes_of
from model.roles import Role


def is_readonly(node: Node) -> bool:
    """Return whether the node's OMERO.server only reads."""
    return Role.OMERO_READONLY in node.roles


def readonly_nodes(release: Scope) -> tuple[Node, ...]:
    """Return the nodes that mount the read-write server's files."""
    return release.with_role(Role.OMERO_READONLY)


def database_user(node: Node) -> str:
    """Return the database role of the node's OMERO.server, which is also the name of its password."""
    return "omeroreadonly" if is_readonly(node) else "omero"


def service_name(release: Scope) -> str:
    """Return a name in the certificates of all OMERO.servers of a release: nginx verifies one name per upstream."""
    return f"omero.{release.name}.idr.internal"


def mounts(node: Node, plan: Plan, export_locations: Mapping[str, str]) -> tuple[NfsMount, ...]:
    """Return the network mounts of a node with the official distribution.

    `export_locations` has those of the stack's Manila shares by name.
    """
    return (
        *of_kind(plan.settings.raw_images(), NfsMount),
        *shares.mounts(node, plan, export_locations),
        *(_shared(plan, plan.scope_of(node)) if is_readonly(node) else ()),
    )


def raw_volumes(node: Node, plan: Plan) -> tuple[Volume, ...]:
    """Return the node's volumes of raw images."""
    names = {raw.name for raw in volumes_of(plan.settings.raw_images(), node.scope)}
    return tuple(volume for volume in node.volumes if volume.purpose in names)


def _shared(plan: Plan, release: Scope) -> tuple[NfsMount, ...]:
    # As in IDR: the data folder aside and read-only, the Bio-Formats cache in its place and shared by all who write it.
    shared = [
        ("/data/OMERO", "/data/OMERO-readonly", "ro,vers=4.2"),
        ("/data/BioFormatsCache", "/data/BioFormatsCache", "rw,vers=4.2"),
        *((raw.mount, raw.mount, "ro,vers=4.2") for raw in volumes_of(plan.settings.raw_images(), release.name)),
    ]
    return tuple(
        NfsMount(source=f"{server.address}:{path}", mount=mount, options=options)
        for server in release.with_role(Role.OMERO_READWRITE)
        for path, mount, options in shared
    )
