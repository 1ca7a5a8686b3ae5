"""The proxy's locations for a site's own roles."""

from dataclasses import dataclass

from model.plan import Node, Scope
from model.roles import SiteRole
from model.site_role_description import Location


@dataclass(frozen=True)
class ProxyLocation:
    """A location of nginx: requests whose path begins with `path` go to the nodes of a site's own role.

    `upstream` is the name of these nodes in nginx, `server_name` a name that all their certificates have.
    """

    path: str
    upstream: str
    scheme: str
    server_name: str
    port: int
    nodes: tuple[Node, ...]


def locations(release: Scope) -> tuple[ProxyLocation, ...]:
    """Return the locations of the roles of a release's nodes."""
    return tuple(
        _location(location, role, release, f"{role}_{number}")
        for role in release.site_roles()
        for number, location in enumerate(role.description.locations, 1)
    )


def answered_first(release: Scope) -> tuple[ProxyLocation, ...]:
    """Return the upstreams of site roles that answer before OMERO.web, one for each port."""
    return tuple(
        _location(location, role, release, f"{role}_first_{location.port}")
        for role in release.site_roles()
        for location in role.description.answers_first
    )


def _location(location: Location, role: SiteRole, release: Scope, upstream: str) -> ProxyLocation:
    return ProxyLocation(
        path=location.path,
        upstream=upstream,
        scheme="https" if location.tls else "http",
        server_name=server_name(role, release),
        port=location.port,
        nodes=release.with_role(role),
    )


def server_name(role: SiteRole, release: Scope) -> str:
    """Return a name in the certificates of all nodes of a role: nginx verifies one name for a whole upstream."""
    return f"{role}.{release.name}.idr.internal"
