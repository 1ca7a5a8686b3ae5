"""Who may see the data of a stack, and contradictions with other settings."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from enum import StrEnum

from model.roles import NodeRole, Role, SiteRole
from model.web_apps import App


class Visitors(StrEnum):
    """Everybody, read-only; or users with an account, who log in and may write."""

    PUBLIC = "public"
    LOGIN = "login"


_WITHOUT_PUBLIC = {
    Role.OMERO_READONLY: "users write, so all of them use the read-write server; remove",
    Role.MANAGEMENT: "the pre-warm fills a cache that all visitors share, and there is none; remove",
}
"""Roles without use where users log in, with the reason."""


def first_pages(visitors: Visitors, apps: Iterable[Collection[App]]) -> tuple[str, ...]:
    """Return the paths that show all data to visitors in some release; `apps` are the applications of each."""
    if visitors == Visitors.LOGIN:
        return ()
    return ("/webclient/",) if all(any(app.is_root for app in served) for served in apps) else ("/", "/webclient/")


def problems(
    visitors: Visitors, releases: Mapping[str, Collection[NodeRole]], *, has_public_password: bool
) -> Iterator[str]:
    """Yield contradictions. `releases` has the roles of each release's nodes."""
    if visitors == Visitors.PUBLIC:
        return
    if has_public_password:
        yield "publicPassword: with visitors: login there is no user `public`; remove it"
    for name, roles in releases.items():
        if Role.OMERO_READWRITE not in roles:
            yield f"releases.{name}: visitors: login needs a node with the role omero-readwrite, since users write"
        for first in sorted(role for role in roles if isinstance(role, SiteRole) and role.description.answers_first):
            yield f"releases.{name}: visitors: login: {first} answers without knowing who asks; remove it"
        for unused, why in _WITHOUT_PUBLIC.items():
            if unused in roles:
                yield f"releases.{name}: visitors: login: {why} the role {unused}"
