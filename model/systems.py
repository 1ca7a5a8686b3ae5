"""The operating systems of the machines, and every difference between them."""

from collections.abc import Iterable
from dataclasses import dataclass

from model.roles import COMMON_PACKAGES, FACTS, OMERO_ROLES, Role


@dataclass(frozen=True)
class System:
    """A distribution's release. `postgresql`, `python` and `java` are the versions that it packages."""

    name: str
    postgresql: str
    python: str
    java: str
    http2_directive: bool
    """Whether its nginx wants `http2 on;` (since 1.25.1) rather than `listen ... http2`."""


DEBIAN = System("Debian 12", postgresql="15", python="3.11", java="17", http2_directive=False)

# OME's own choice for OMERO.server 5.6 (research, omero-facts 6): its Ice is built for this.
UBUNTU = System("Ubuntu 24.04", postgresql="16", python="3.12", java="11", http2_directive=False)


OMERO_PACKAGES = (
    *("bzip2", "nfs-common", "openssl", "postgresql-client", "python3-venv", "unzip"),
    # What its Ice was linked with (omero-install, Ubuntu 24.04), and OMERO.tables.
    *("db5.3-util", "libdb5.3++t64", "libexpat1", "libmcpp0", "mcpp", "libblosc1"),
)
"""Beside Java, what a node with the official OMERO.server needs."""


def system_of(roles: Iterable[Role], *, official: bool) -> System:
    """Debian everywhere; where OMERO's official distribution runs (OMERO.server or OMERO.web), Ubuntu."""
    omero = OMERO_ROLES | {Role.WEB}
    return UBUNTU if official and omero.intersection(roles) else DEBIAN


def packages(system: System, roles: Iterable[Role], *, official: bool, acme: bool) -> tuple[str, ...]:
    """The distribution's packages that a node with these roles needs, sorted."""
    carried = set(roles)
    found = {*COMMON_PACKAGES, *(package for role in carried for package in FACTS[role].packages)}
    if official and carried & OMERO_ROLES:
        found |= {f"openjdk-{system.java}-jre-headless", *OMERO_PACKAGES}
        if Role.OMERO_READWRITE in carried:
            found.add("nfs-kernel-server")
    if acme and Role.PROXY in carried:
        found.add("certbot")
    return tuple(sorted(found))
