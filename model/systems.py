"""The operating systems of the nodes, and all differences between them."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from model.role_description import Distribution, Feature
from model.roles import OMERO_ROLES, NodeRole, Role, applied_roles, role_description, role_facts


@dataclass(frozen=True)
class System:
    """A distribution's release. `postgresql`, `python` and `java` are the versions that it packages."""

    name: str
    postgresql: str
    python: str
    java: str
    http2_directive: bool
    """Whether its nginx uses `http2 on;` (since 1.25.1) instead of `listen ... http2`."""


DEBIAN = System("Debian 12", postgresql="15", python="3.11", java="17", http2_directive=False)

# OME's own choice for OMERO.server 5.6 (research, omero-facts 6): its Ice is built for this.
UBUNTU = System("Ubuntu 24.04", postgresql="16", python="3.12", java="11", http2_directive=False)

VOLUME_PACKAGES = ("xfsprogs",)
"""The packages of a node with data volumes."""


def system_of(roles: Iterable[NodeRole], *, official: bool) -> System:
    """Return Ubuntu for OMERO's official distribution (OMERO.server or OMERO.web), otherwise Debian."""
    omero = {*OMERO_ROLES, Role.WEB}
    return UBUNTU if official and omero.intersection(roles) else DEBIAN


def packages(
    system: System, roles: Iterable[NodeRole], distribution: Distribution, used: Collection[Feature]
) -> tuple[str, ...]:
    """Return the distribution's packages for a node with these roles, sorted. `used` are the features in use."""
    carried = tuple(roles)
    needed: set[str] = set()
    for name in applied_roles(carried, distribution):
        description = role_description(name)
        needed.update(description.packages, *(description.packages_with.get(setting, ()) for setting in used))
    if any(role_facts(role).volume for role in carried):
        needed.update(VOLUME_PACKAGES)
    return tuple(sorted(package.format(java=system.java) for package in needed))
