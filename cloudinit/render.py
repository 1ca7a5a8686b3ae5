"""The configuration bundle of a node: a pure function of the plan, the same bytes on every machine.

A role's folder has its files by their path on the node (`files/`, templates with the suffix `.j2`), their owners and
modes (`files.yaml`), its steps (`scripts/`: prepare, check, activate, health, stop), and its
description (`role.yaml`, see `model.role_description`). A role of a site's own has the same, in a folder of the site.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Any

from cloudinit.contexts import Common, variables
from cloudinit.source import Source
from cloudinit.templates import Folder, RenderError, expression
from model import site_files
from model.plan import Node, Plan
from model.role_description import FOLDER, RoleDescription
from model.roles import SiteRole, applied_roles, role_description
from model.secrets import Secrets
from model.site_files import FileEntry

NONE: Mapping[str, str] = MappingProxyType({})


def bundle(
    node: Node,
    plan: Plan,
    secrets: Secrets,
    volume_ids: Mapping[str, str],
    export_locations: Mapping[str, str] = NONE,
) -> str:
    """Return the configuration of a node as JSON for `idr-apply`.

    `volume_ids` has the Cinder id of each volume's purpose, `export_locations` that of each Manila share by name.
    """
    source = Source(node, plan, secrets, volume_ids, export_locations)
    common = Common.of(source)
    applied = applied_roles(node.roles, plan.settings.omero.distribution, plan.settings.features())
    roles = {role: role_description(role) for role in applied}
    usual = RoleDescription().health_seconds
    files = _each_once((role, entry) for role in roles for entry in _files(role, variables(role, common, source)))
    body = {
        "node": node.name,
        "roles": list(roles),
        "healthSeconds": usual,
        "timeouts": {role: about.health_seconds for role, about in roles.items() if about.health_seconds != usual},
        "services": {role: services(about, node) for role, about in roles.items() if about.services},
        "units": {role: list(about.units) for role, about in roles.items() if about.units},
        "files": files,
    }
    digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    return json.dumps({"digest": digest, **body})


def check_site_roles(node: Node, plan: Plan, secrets: Secrets) -> None:
    """Render the files of the site's own roles on a node. Raises RenderError.

    Needs no ids of volumes: a preview does not know those of new volumes, and so does not render the bundle.
    """
    roles = [role for role in node.roles if isinstance(role, SiteRole)]
    if not roles:
        return
    source = Source(node, plan, secrets, {volume.purpose: "" for volume in node.volumes})
    common = Common.of(source)
    for role in roles:
        list(_files(role, variables(role, common, source)))


def _each_once(entries: Iterable[tuple[str, dict[str, str]]]) -> list[dict[str, str]]:
    """Return the files of all roles. Raises RenderError if two have the same path, which templates can render."""
    files: dict[str, dict[str, str]] = {}
    for role, entry in entries:
        if files.setdefault(entry["path"], entry) is not entry:
            msg = f"{_list_of(role)}: {entry['path']}: the node has this file already"
            raise RenderError(msg)
    return list(files.values())


def services(about: RoleDescription, node: Node) -> list[dict[str, Any]]:
    """Return the services of a role for `idr-apply`."""
    return [
        service.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        | {"unit": service.unit.format(postgresql=node.system.postgresql)}
        for service in about.services
    ]


def _folder(role: str) -> Path:
    return role.folder if isinstance(role, SiteRole) else FOLDER / role


def _roles(role: str) -> Folder:
    """Return the folder that a role is in."""
    if isinstance(role, SiteRole):
        return Folder(role.folder.parent, PurePosixPath(role.path).parent.as_posix())
    return Folder(FOLDER, FOLDER.name)


@cache
def _entries(folder: Path) -> dict[str, FileEntry]:
    return site_files.read(folder / site_files.NAME)


def _list_of(role: str) -> str:
    """Return the path of a role's files.yaml, for messages."""
    return f"{_roles(role).path}/{role}/{site_files.NAME}"


def _files(role: str, context: dict[str, Any]) -> Iterator[dict[str, str]]:
    folder = _folder(role)
    for pattern, entry in _entries(folder).items():
        where = f"{_list_of(role)}: {pattern}"
        for values in _contexts(entry, context):
            path, mode = _expression(pattern, values, where), _expression(entry.mode, values, where)
            if problem := site_files.wrong_value(path, mode):
                msg = f"{where}: {problem}"
                raise RenderError(msg)
            content = _content(role, path, entry, values, where)
            if name := _readable_password(content, mode, values):
                msg = (
                    f"{where}: contains the password {name}, and everybody on the node may read the file: "
                    'set mode: "0640" and the group of the service'
                )
                raise RenderError(msg)
            yield {
                "path": path,
                "content": content,
                "mode": mode,
                "owner": entry.owner,
                "group": entry.group or entry.owner,
            }
    for name, text in _scripts(folder).items():
        yield {
            "path": f"{site_files.LIBRARY}/{role}/{name}",
            "content": text,
            "mode": "0755",
            "owner": "root",
            "group": "root",
        }


def _readable_password(content: str, mode: str, values: Mapping[str, Any]) -> str | None:
    """Return the name of a site role's password in a file that every account may read; None if there is none."""
    passwords: Mapping[str, str] = values.get("passwords", NONE) if mode[-1] in "45" else NONE
    return next((name for name, password in passwords.items() if password in content), None)


def _contexts(entry: FileEntry, context: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the contexts of a file: one, or with `each` one for every `item` of that list."""
    return [{**context, "item": item} for item in context[entry.each]] if entry.each else [context]


@cache
def _scripts(folder: Path) -> dict[str, str]:
    return {script.name: script.read_text() for script in sorted((folder / "scripts").iterdir())}


def _expression(text: str, context: dict[str, Any], where: str) -> str:
    """Render a path or a mode, which may depend on the node."""
    return expression(text, context, where) if "{{" in text else text


def _content(role: str, path: str, entry: FileEntry, context: dict[str, Any], where: str) -> str:
    source = _source(_folder(role), path, entry)
    if source is None:
        msg = f"{where}: {site_files.missing(path, entry)}"
        raise RenderError(msg)
    if source.suffix != ".j2":
        return _plain(source)
    return _roles(role).render(source, context, where)


@cache
def _source(folder: Path, path: str, entry: FileEntry) -> Path | None:
    return site_files.source_of(folder, path, entry)


@cache
def _plain(source: Path) -> str:
    """Read a file that is the same on every node."""
    return source.read_text()
