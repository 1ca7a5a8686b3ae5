"""A site's own roles (`idr:siteRoles`): read their folders, and refuse conflicts with the program's roles."""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from model import addresses, site_files, site_folder, site_scripts
from model.collisions import ANSIBLE_OWN, KINDS
from model.extra_flows import end
from model.firewall import EVERY_NODE, EVERY_NODE_LISTENS, STORAGE, WORLD, Flow
from model.role_description import COMMON, FOLDER, NAME, RoleError, contradictions, read_each, variable_of
from model.roles import DESCRIPTIONS, FACTS, Role, SiteRole
from model.site_role_description import RoleFlow, SiteRoleDescription

SETTING: Final = "siteRoles"

_ROLE_NAME = re.compile(r"[a-z][a-z0-9-]{0,28}[a-z0-9]")
_GROUPS = KINDS | ANSIBLE_OWN | {"data", "hosts"}
_NAMES = _GROUPS | DESCRIPTIONS.keys() | {WORLD, EVERY_NODE, STORAGE}
_VOLUMES = {about.volume.name: about.volume for about in FACTS.values() if about.volume}


def read(setting: Any, checkout: Path) -> dict[str, SiteRole]:
    """Read the roles in the folder that the setting names, relative to `checkout`, by name; none if it is None.

    Raises FolderError, or RoleError with every mistake of all roles.
    """
    if setting is None:
        return {}
    folder, path = site_folder.find(setting, checkout)
    folders = {one.name: one for one in sorted(folder.iterdir()) if one.is_dir() and not one.name.startswith(".")}
    if not folders:
        msg = f"'{setting}' has no role in it: a folder with a {NAME}"
        raise site_folder.FolderError(msg)
    if wrong := [f"{path / name}: {text}" for name, one in folders.items() for text in _folder_problems(one)]:
        raise RoleError("\n".join(wrong))
    descriptions = read_each(folder, folders, str(path), SiteRoleDescription)
    roles = {name: SiteRole(about, folders[name], str(path / name)) for name, about in descriptions.items()}
    wrong = [f"{role.path}/{NAME}: {text}" for role in roles.values() for text in _problems(role, roles)]
    wrong += [f"{roles[name].path}/{NAME}: {text}" for name, text in _collisions(roles)]
    wrong += [f"{role.path}/{text}" for role in roles.values() for text in _file_problems(role, roles)]
    if wrong:
        raise RoleError("\n".join(wrong))
    return roles


def flows(used: Iterable[SiteRole], known: Iterable[SiteRole]) -> tuple[Flow, ...]:
    """Return the flows that the roles `used` add to the matrix; `known` are all of the site, which flows may name."""
    by_name = {str(role): role for role in known}
    return tuple(flow for role in used for flow in _flows(role, by_name))


def kind(role: SiteRole) -> str:
    """Return the kind of the role's Ansible group, `<kind>-hosts`."""
    return role.description.inventory_group or role.replace("-", "")


def _flows(role: SiteRole, known: Mapping[str, SiteRole]) -> Iterator[Flow]:
    about = role.description
    for flow in about.flows:
        source = end(flow.source, known) if flow.source else role
        target = end(flow.target, known) if flow.target else role
        yield from (Flow(source, target, port, flow.why, flow.transport) for port in flow.ports)
    for location in about.locations:
        yield Flow(Role.PROXY, role, location.port, f"{role} at {location.path}")
    for port in sorted({location.port for location in about.answers_first}):
        yield Flow(Role.PROXY, role, port, f"{role} in front of OMERO.web")
    if about.metrics:
        yield Flow(Role.MANAGEMENT, role, about.metrics.port, f"metrics of {role}")


def _folder_problems(folder: Path) -> Iterator[str]:
    if folder.name in _NAMES:
        yield "cannot have this name: it is that of a role or a group of the program"
    elif not _ROLE_NAME.fullmatch(folder.name):
        yield "must have a name of 2 to 30 lower-case letters, digits and dashes, a letter first"
    if not (folder / NAME).is_file():
        yield f"has no {NAME}: siteRoles names a folder, and each folder in that one is a role"


def _problems(role: SiteRole, roles: Mapping[str, SiteRole]) -> Iterator[str]:
    """Yield conflicts of a description with the program."""
    about = role.description
    if kind(role) in _GROUPS:
        yield f"inventoryGroup: '{kind(role)}-hosts' is a group of the program or of Ansible: name another"
    for number, service in enumerate(about.services):
        if (FOLDER / COMMON / "scripts" / f"{site_scripts.WATCH}{service.name()}").exists():
            yield f"services.{number}.unit: '{service.name()}' is a unit of every node"
    for port in sorted({*about.listens()} & {*EVERY_NODE_LISTENS}):
        yield f"port {port}: every node listens there already"
    others = {*Role, *roles} - {role, Role.BASTION}
    for unknown in sorted({*about.beside} - others):
        yield f"beside: '{unknown}' is no other role of a release's nodes"
    for number, flow in enumerate(about.flows):
        yield from (f"flows.{number}.{text}" for text in _end_problems(role, flow, roles))
    yield from _location_problems(about)
    yield from _volume_problems(about)


def _volume_problems(about: SiteRoleDescription) -> Iterator[str]:
    volume = about.node.volume
    if volume is None:
        return
    if volume.name in _VOLUMES:
        yield f"node.volume.name: '{volume.name}' is a volume of the program"
    if not volume.mount.startswith("/srv/"):
        yield f"node.volume.mount: must be below /srv, where nothing of the program is (given: '{volume.mount}')"
    if "-" in volume.name:
        yield f"node.volume.name: must have no dashes: an Ansible variable has this name (given: '{volume.name}')"
    elif volume.variable() != variable_of(volume.name):
        yield f"node.volume.ansibleVariable: leave it out: it is {variable_of(volume.name)} for a site's own role"


def _location_problems(about: SiteRoleDescription) -> Iterator[str]:
    for number, location in enumerate(about.locations):
        if hidden := addresses.hidden_by(location.path):
            yield f"locations.{number}.path: {location.path} would hide {hidden}, which is the program's own"
    for number, location in enumerate(about.answers_first):
        if not addresses.are_kept(location.path):
            yield (
                f"answersFirst.{number}.path: not all that begins with {location.path} is a cached answer of "
                "OMERO.web: name addresses that model/addresses.yaml has under a kind"
            )


def _end_problems(role: SiteRole, flow: RoleFlow, roles: Mapping[str, SiteRole]) -> Iterator[str]:
    for name, text in (("from", flow.source), ("to", flow.target)):
        if text == role:
            yield f"{name}: is the role itself: name the other end"
        elif name == "to" and text in roles:
            yield f"to: {text} is a role of the site: say there that {role} calls it, with `from: {role}`"
        elif text:
            try:
                end(text, roles)
            except ValueError as error:
                yield f"{name}: {error} (given: '{text}')"


def _collisions(roles: Mapping[str, SiteRole]) -> Iterator[tuple[str, str]]:
    """Yield conflicts between descriptions: the role, and the field with the problem."""
    descriptions = {name: role.description for name, role in roles.items()}
    yield from (collision for collision in contradictions(DESCRIPTIONS | descriptions) if collision[0] in roles)
    groups: dict[str, str] = {}
    volumes: dict[str, str] = {}
    paths: dict[str, str] = {}
    for name, role in roles.items():
        if (other := groups.setdefault(kind(role), name)) != name:
            yield name, f"inventoryGroup: '{kind(role)}-hosts' is that of {other}"
        for location in (*role.description.locations, *role.description.answers_first):
            nested = next(
                (path for path in paths if path.startswith(location.path) or location.path.startswith(path)), ""
            )
            if nested:
                yield name, f"locations: {location.path} and {nested} of {paths[nested]} are one inside the other"
            paths[location.path] = name
        if volume := role.description.node.volume:
            for mark in (volume.name, volume.mount):
                if (other := volumes.setdefault(mark, name)) != name:
                    yield name, f"node.volume: '{mark}' is that of {other}"
            for mark, other in volumes.items():
                if f"{volume.mount}/".startswith(f"{mark}/") != f"{mark}/".startswith(f"{volume.mount}/"):
                    yield name, f"node.volume: {volume.mount} and {mark} of {other} are one inside the other"


def _file_problems(role: SiteRole, roles: Mapping[str, SiteRole]) -> Iterator[str]:
    others = {path: str(other) for other in roles.values() if other != role for path in site_files.paths(other.folder)}
    yield from site_scripts.problems(role.folder, role.description)
    if wrong := [*site_files.problems(role.folder, others)]:
        yield from wrong
        return
    own = site_files.paths(role.folder)
    yield from (f"{site_files.NAME}: {problem}" for problem in _files_over_volumes(own, roles.values()))
    yield from _idle_prefixes(role, [*own, *others, *site_files.program_paths()])


def _files_over_volumes(paths: Iterable[str], roles: Iterable[SiteRole]) -> Iterator[str]:
    """Yield files in the place of a volume's mount point, or of a folder above it."""
    for role in roles:
        mount = volume.mount if (volume := role.description.node.volume) else ""
        for path in paths:
            if f"{mount}/".startswith(f"{path}/"):
                yield f"{path}: cannot be a file: the volume of {role} is mounted at {mount}"


def _idle_prefixes(role: SiteRole, paths: Iterable[str]) -> Iterator[str]:
    """Yield entries of `restartOn` and `reloadOn` that no file's path begins with."""
    # A path may be a template: what it comes to is not known here.
    known = [path.partition("{{") for path in [*paths, f"{site_files.LIBRARY}/{role}/"]]
    for number, service in enumerate(role.description.services):
        for field, prefixes in (("restartOn", service.restart_on or ()), ("reloadOn", service.reload_on)):
            for prefix in prefixes:
                if not any(text.startswith(prefix) or (more and prefix.startswith(text)) for text, more, _ in known):
                    yield f"{NAME}: services.{number}.{field}: no file of {site_files.NAME} begins with {prefix}"
