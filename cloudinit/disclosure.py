"""The part of the nodes' configuration that reviewers must see. A preview hides bundles, because they have secrets."""

import hashlib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from model import addresses, matrix, web_apps
from model.firewall import Flow
from model.plan import Node, Plan
from model.role_description import FOLDER
from model.roles import OMERO_ROLES, Role, SiteRole
from model.secrets import Secrets
from model.settings import Settings
from model.visitors import Visitors

RUN_ON_NODES = ("idr/importer", "idr/prewarm", "idr/storage/scan")
"""Folders outside `cloudinit` whose modules run on nodes."""


def disclosure(
    plan: Plan, secrets: Secrets, *, verifies_cloud: bool, cloud: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Return logins, flows, active safeguards, and digests of the files that configure the nodes.

    `cloud` has the settings of the cloud's address, by name: the server there receives the credentials.
    Sources are the URLs of files and redirects, and the site's own headers. A lower rotation number restores an
    earlier secret.
    All of it is public: digests are those of the sources, never of what is rendered with a secret. While the stack
    secret is renewed, the public deploy keys distinguish the new one from the former.
    """
    return {
        "operators": list(plan.operators),
        **_people(plan),
        "keyPair": plan.settings.keypair or "",
        "flows": [_flow(flow) for flow in _flows(plan)],
        "checks": list(_checks(plan, verifies_cloud=verifies_cloud)),
        "cloud": dict(cloud or {}),
        "sources": dict(_sources(plan.settings)),
        "rotations": dict(plan.settings.rotations),
        "files": digests(FOLDER.parent) | _of_site_roles(plan) | _of_files_beside(plan),
        **_omero(plan),
        **_visitors(plan),
        **_renewal(secrets),
    }


def _sources(settings: Settings) -> Iterator[tuple[str, str]]:
    """Return the sources of files and mounts, targets of redirects and headers, by setting.

    A proxy's password is not shown.
    """
    for name, part in settings.omero.parts().items():
        if part:
            yield f"omero.{name}", f"{part.url} ({part.sha256 or 'no sum'})"
    if pages := settings.site.pages:
        yield "site.pages", f"{pages.url} ({pages.sha256 or 'no sum'})"
    for entry in settings.raw_images():
        yield from ((f"storage {path}", source) for path, source in entry.sources())
    for redirect in settings.redirects:
        yield f"redirects {redirect.source}", f"{redirect.target} ({'301' if redirect.permanent else '302'})"
    for name, value in settings.site.headers.items():
        yield f"site.headers {name}", value
    for url in settings.proxies.urls():
        yield f"proxies {urlsplit(url).hostname}", f"port {urlsplit(url).port}"
    if settings.acme:
        yield "acme.directory", settings.acme.directory


def _omero(plan: Plan) -> dict[str, dict[str, dict[str, str]]]:
    """Return digests of OMERO's configuration and of the stack file's jars, by key and node.

    None for passwords: they could be guessed from a digest.
    """
    shown: dict[str, dict[str, str]] = {}
    for node in plan.nodes:
        for key, value in (*node.omero_config, *node.web_config, *_apps(node, plan)):
            is_secret = any(word in key.lower() for word in ("pass", "secret"))
            digest = "secret" if is_secret else hashlib.sha256(value.encode()).hexdigest()
            shown.setdefault(key, {})[node.name] = digest
    servers = [node for scope in plan.scopes for node in scope.with_role(*OMERO_ROLES)]
    for jar in plan.settings.omero.jars:
        digests_by_node = {node.name: jar.sha256 or "not set" for node in servers}
        shown.update({f"jar {path}": digests_by_node for path in jar.paths})
    return {"omero": shown} if shown else {}


def _visitors(plan: Plan) -> dict[str, str]:
    visitors = plan.settings.visitors
    return {"visitors": visitors.value} if visitors != Visitors.PUBLIC else {}


def _apps(node: Node, plan: Plan) -> Iterator[tuple[str, str]]:
    """Return the applications beside a node's OMERO.web, as a key of its configuration, because visitors can use them.

    A site's own applications with all their settings.
    """
    if Role.WEB in node.roles and (apps := plan.settings.apps_of(node.scope)):
        yield "omero.web.apps", " ".join(app.name for app in apps)
        yield from ((f"web.siteApps.{app.name}", repr(app)) for app in apps if app.addresses)


def _people(plan: Plan) -> dict[str, list[dict[str, Any]]]:
    named = [{"name": one.name, "role": one.role.value, "keys": list(one.keys)} for one in plan.people]
    return {"people": named} if named else {}


def _renewal(secrets: Secrets) -> dict[str, dict[str, str]]:
    if secrets.previous is None:
        return {}
    former, present, *_ = secrets.deploy_keys()
    return {"renewal": {"former": f"{former.public} idr-deploy", "present": f"{present.public} idr-deploy"}}


def _checks(plan: Plan, *, verifies_cloud: bool) -> Iterator[str]:
    """Yield the active safeguards, by name. Settings can turn them off."""
    if verifies_cloud:
        yield "the cloud's certificate is verified"
    if plan.settings.protect_data:
        yield "data volumes are protected"
    if plan.settings.configure:
        yield "nodes have firewalls of their own"
    networks = {node.storage_network for node in plan.nodes if node.storage_network}
    if all(network.port_security for network in networks):
        yield "every port has security groups"


def _flows(plan: Plan) -> list[Flow]:
    return list(dict.fromkeys(flow for scope in plan.scopes for flow in matrix.flows(plan, scope)))


def _flow(flow: Flow) -> dict[str, str]:
    ends = {"from": str(flow.source), "to": str(flow.target), "port": f"{flow.transport} {flow.port}"}
    users = {"users": ", ".join(flow.users)} if flow.users else {}
    return {**ends, **users, "why": flow.why}


@cache
def digests(project: Path) -> dict[str, str]:
    """Return the digest of every file that can configure a node, by its path in the repository.

    Files of unused roles are included: the first node of a role is no change of its templates.
    """
    folders = (project / name for name in (FOLDER.name, *RUN_ON_NODES))
    files = [file for folder in folders for file in folder.rglob("*") if file.is_file()]
    files = [file for file in files if "__pycache__" not in file.parts]
    return {
        str(file.relative_to(project)): _digest(file)
        for file in sorted([*files, *(project / "model" / table.name for table in (addresses.TABLE, web_apps.TABLE))])
    }


def _of_site_roles(plan: Plan) -> dict[str, str]:
    """Return the digests of the site's own roles of nodes: with a role's first node its files are new in the stack."""
    roles: set[SiteRole] = set().union(*(scope.site_roles() for scope in plan.scopes))
    return {
        f"{role.path}/{file.relative_to(role.folder)}": _digest(file)
        for role in sorted(roles)
        for file in sorted(role.folder.rglob("*"))
        if file.is_file()
    }


def _of_files_beside(plan: Plan) -> dict[str, str]:
    """Return the digests of other files beside the stack file: the site's own nginx locations, and Python packages."""
    texts = {snippet.path: snippet.text for snippet in plan.settings.site.locations}
    texts |= {one.path: one.text for one in (plan.settings.omero.addons, plan.settings.web.requirements) if one}
    return {path: hashlib.sha256(text.encode()).hexdigest() for path, text in texts.items()}


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
