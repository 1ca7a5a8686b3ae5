"""Names, networks, addresses and paths of a stack file that collide with each other."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from ipaddress import AddressValueError, IPv4Network
from pathlib import PurePosixPath
from uuid import UUID

from model.release_settings import Release, ScopeSettings
from model.roles import FACTS, Role

ANSIBLE_OWN = frozenset({"all", "ungrouped", "localhost"})
"""Names that Ansible reserves."""

KINDS = frozenset({*(role.value.replace("-", "") for role in Role), "omero"})
"""The kinds of IDR's Ansible groups `<kind>-hosts` (model/outputs/groups.py)."""

NODE_NAMES = {
    "localhost": "each machine calls itself so",
    "bastion": "the stack's bastion is in every node's /etc/hosts under this name",
    "hosts": "its full name would be that of the release's Ansible group",
}

OWN_PATHS = (
    *("/bin", "/boot", "/dev", "/etc", "/home", "/lib", "/lib32", "/lib64", "/libx32", "/opt/omero", "/proc"),
    *("/root", "/run", "/sbin", "/sys", "/tmp", "/usr", "/var"),  # noqa: S108  # nothing is kept there
    *("/data/OMERO", "/data/OMERO-readonly", "/data/BioFormatsCache", "/data/imports"),
)
"""Paths of the nodes' own files."""


def names(releases: Mapping[str, Release], storage_group: str, site_kinds: Iterable[str] = ()) -> Iterator[str]:
    """Yield releases, nodes and the storage group whose hosts or Ansible groups would get the same name.

    `site_kinds` are those of the groups of the site's own roles.
    """
    kinds = KINDS | set(site_kinds)
    for name, release in releases.items():
        if name in kinds | ANSIBLE_OWN:
            yield f"releases.{name}: cannot have this name: it is that of a role or of an Ansible group"
        for node in NODE_NAMES.keys() & release.nodes.keys():
            yield f"releases.{name}.nodes.{node}: cannot have this name: {NODE_NAMES[node]}"
    stem = storage_group.removesuffix("-hosts")
    own = {f"{name}-{kind}" for name in releases for kind in (*kinds, "data")}
    nodes = {alias for release in releases.values() for alias in release.aliases()}
    full = {f"{name}-{alias}" for name, release in releases.items() for alias in release.aliases()}
    if stem in kinds | ANSIBLE_OWN | {"data", "hosts"} | own | set(releases) | nodes | full:
        yield f"storageGroup: cannot be '{storage_group}': a role, a release or a node has this name"


def machines(releases: Mapping[str, Release], outside: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Yield machines outside the stack that have a node's name: the nodes' /etc/hosts would lead to the node.

    `outside` says with each host that is not the stack's the setting that names it.
    """
    own = {"bastion"}
    for name, release in releases.items():
        own.update(each for alias in release.aliases() for each in (alias, f"{name}-{alias}"))
    for setting, host in outside:
        if host.lower() in own:
            yield f"{setting}: nodes take '{host.lower()}' for the stack's own node; give the machine's full name"


def networks(
    scopes: Sequence[tuple[str, ScopeSettings]], storage: IPv4Network | None, outside: Sequence[tuple[str, str]]
) -> Iterator[str]:
    """Yield networks that overlap, or that hide public addresses or the machines in settings.

    `scopes` and `outside` say with each network, or host or network that is not the stack's, the setting that names it.
    """
    ranges = [(where, scope.cidr) for where, scope in scopes]
    if storage:
        ranges.append(("storageNetwork", storage))
    for position, (where, cidr) in enumerate(ranges):
        for other, another in ranges[:position]:
            if cidr.overlaps(another):
                yield f"{where}.cidr {cidr} overlaps {other}.cidr {another}"
    for where, scope in scopes:
        if scope.existing_network:
            continue
        if scope.cidr.is_global:
            yield f"{where}.cidr {scope.cidr} is of the internet, whose machines it would hide; take a private one"
        for setting, text, network in _by_address(outside):
            if network.subnet_of(scope.cidr):
                yield f"{setting} {text} is in {where}.cidr {scope.cidr}, where this stack's own machines are"


def network_names(
    scopes: Iterable[tuple[str, ScopeSettings]], external: str | None, storage: str | None
) -> Iterator[str]:
    """Yield existing networks that have two purposes in the stack."""
    if storage and storage == external:
        yield "storageNetwork.name: is the externalNetwork: OMERO nodes would have addresses of the internet"
    for where, scope in scopes:
        if scope.existing_network and scope.existing_network == external:
            yield f"{where}.existingNetwork: is the externalNetwork, whose machines can have no floating IP"
        if scope.existing_network and scope.existing_network == storage:
            yield f"{where}.existingNetwork: is the storageNetwork, where OMERO nodes get an interface of its own"


def _by_address(outside: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str, IPv4Network]]:
    """Yield the networks among the hosts in settings."""
    for setting, text in outside:
        try:
            yield setting, text, IPv4Network(text)
        except AddressValueError:
            continue


def paths(settings_mounts: Mapping[str, Iterable[str]], site_mounts: Iterable[str] = ()) -> Iterator[str]:
    """Yield mount points that hide each other or a path of the machine.

    `settings_mounts` has the mount points of settings, `site_mounts` those of volumes of the site's own roles.
    """
    setting_of = {PurePosixPath(mount): setting for setting, mounts in settings_mounts.items() for mount in mounts}
    mounts = [PurePosixPath(mount) for mounts in settings_mounts.values() for mount in mounts]
    own = [PurePosixPath(facts.volume.mount) for facts in FACTS.values() if facts.volume]
    own += map(PurePosixPath, site_mounts)
    for path, setting in setting_of.items():
        if mounts.count(path) > 1 or path in own:
            yield f"{setting}: {path} is mounted twice"
        elif hidden := next((own_path for own_path in OWN_PATHS if _nested(path, PurePosixPath(own_path))), None):
            yield f"{setting}: {path} cannot be mounted over the machine's own {hidden}"
        for other in dict.fromkeys(mounts):
            if other != path and path.is_relative_to(other):
                yield f"{setting}: {path} is inside {other}, which is mounted too"


def volumes(existing: Sequence[UUID]) -> Iterator[str]:
    """Yield existing volumes that are named twice."""
    for volume in dict.fromkeys(existing):
        if existing.count(volume) > 1:
            yield f"the existing volume {volume} is named twice: one machine can have it"


def _nested(path: PurePosixPath, other: PurePosixPath) -> bool:
    return path.is_relative_to(other) or other.is_relative_to(path)
