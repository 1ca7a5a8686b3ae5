"""The stack's own Manila shares: who may mount them, what is there of them, and what of the plan the cloud refuses."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from model.manila import OPTIONS, ManilaShare
from model.nfs import NfsMount
from model.plan import Node, Plan
from model.raw_storage import of_kind
from model.roles import OMERO_ROLES, Role

Level = Literal["rw", "ro"]


@dataclass(frozen=True)
class Access:
    """An access rule: that a node may mount a share, and whether to write."""

    share: str
    node: Node
    level: Level

    @property
    def name(self) -> str:
        """Its name among the stack's resources."""
        return f"{self.share}-{self.node.name}"


def of(plan: Plan) -> tuple[ManilaShare, ...]:
    """The shares of a stack."""
    return of_kind(plan.settings.raw_images(), ManilaShare)


def level(node: Node) -> Level:
    """Whether a node may write: the read-write ones take imports, and bring what is imported."""
    return "rw" if Role.OMERO_READWRITE in node.roles else "ro"


def accesses(plan: Plan) -> tuple[Access, ...]:
    """Who may mount what: the OMERO nodes of all releases, each by its address, and nobody else."""
    nodes = [node for release in plan.releases for node in release.with_role(*OMERO_ROLES)]
    return tuple(Access(share.name, node, level(node)) for share in of(plan) for node in nodes)


def mounts(node: Node, plan: Plan, locations: Mapping[str, str]) -> tuple[NfsMount, ...]:
    """What a node mounts of them. `locations` has the export location of each that is there, by name."""
    return tuple(
        NfsMount(source=locations[share.name], mount=share.mount, options=f"{level(node)},{OPTIONS}")
        for share in of(plan)
        if share.name in locations
    )
