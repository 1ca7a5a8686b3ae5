"""The stack's Manila shares: access rules, mounts, and problems with the cloud."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from model.cloud_state import CloudShare, CloudState
from model.manila import OPTIONS, ManilaShare
from model.nfs import NfsMount
from model.plan import Node, Plan
from model.raw_storage import of_kind
from model.roles import OMERO_ROLES, Role
from model.wording import is_missing

Level = Literal["rw", "ro"]


@dataclass(frozen=True)
class Access:
    """An access rule: a node may mount a share, read-only or read-write."""

    share: str
    node: Node
    level: Level

    @property
    def name(self) -> str:
        """The name of its resource."""
        return f"{self.share}-{self.node.name}"


def of(plan: Plan) -> tuple[ManilaShare, ...]:
    """Return the shares of a stack."""
    return of_kind(plan.settings.raw_images(), ManilaShare)


def level(node: Node) -> Level:
    """Return the access level of a node. Read-write nodes may write, because images are imported there."""
    return "rw" if Role.OMERO_READWRITE in node.roles else "ro"


def accesses(plan: Plan) -> tuple[Access, ...]:
    """Return the access rules: only OMERO nodes may mount shares, each by its address."""
    nodes = [node for release in plan.releases for node in release.with_role(*OMERO_ROLES)]
    return tuple(Access(share.name, node, level(node)) for share in of(plan) for node in nodes)


def absent(plan: Plan, state: CloudState) -> Iterator[str]:
    """Yield what the cloud lacks for the plan's shares, or would refuse."""
    if not state.has_manila:
        names = ", ".join(f"'{share.name}'" for share in of(plan))
        yield (
            f"this cloud has no Manila in its catalogue, and storage declares the share {names}: make volumes instead "
            "(kind volume), or name an NFS server (kind nfs)"
        )
    existing = {share.name: share for share in state.shares or () if share.is_own}
    for share in of(plan):
        known = existing.get(plan.cloud_name(share.name))
        if known:
            yield from _differs(share, known)
        elif state.share_types is not None:
            yield from _cannot_be_of(share.type or state.default_share_type, state.share_types)


def _cannot_be_of(kind: str | None, types: Mapping[str, bool]) -> Iterator[str]:
    if kind and kind not in types:
        yield is_missing("share type", kind, types)
    elif kind and types[kind]:
        yield (
            f"share type '{kind}' wants a share network, which no share of storage has: name another type, or create "
            "the share yourself and name its export location (kind nfs)"
        )


def _differs(share: ManilaShare, known: CloudShare) -> Iterator[str]:
    if known.status.startswith("error"):
        yield f"share '{share.name}' ({known.id}) has the status '{known.status}': ask the cloud's operators for it"
    if known.size_gib > share.size_gib:
        yield (
            f"share '{share.name}' has {known.size_gib} GiB, sizeGib says {share.size_gib}: no share can shrink; set "
            f"sizeGib to {known.size_gib}"
        )
    if share.type and known.type and share.type != known.type:
        yield (
            f"share '{share.name}' is of the type '{known.type}', which cannot change: set type to that, or move its "
            "files to a share of another name"
        )


def mounts(node: Node, plan: Plan, locations: Mapping[str, str]) -> tuple[NfsMount, ...]:
    """Return the mounts of a node. `locations` has the export locations of existing shares by name."""
    return tuple(
        NfsMount(source=locations[share.name], mount=share.mount, options=f"{level(node)},{OPTIONS}")
        for share in of(plan)
        if share.name in locations
    )
