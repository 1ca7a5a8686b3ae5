"""Names, networks, addresses and paths of a stack file that collide with each other."""

from collections.abc import Iterator
from ipaddress import AddressValueError, IPv4Address
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from model.release_settings import Scope
from model.roles import FACTS, Role

if TYPE_CHECKING:
    from model.settings import Settings

ANSIBLE_OWN = frozenset({"all", "ungrouped", "localhost"})
"""Names that Ansible gives a meaning of its own."""

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
    *("/data/OMERO", "/data/OMERO-readonly", "/data/BioFormatsCache"),
)
"""Paths that the nodes' own files are at."""


def names(settings: "Settings") -> Iterator[str]:
    """Releases, nodes and the storage group whose hosts or Ansible groups would be others' as well."""
    for name, release in settings.releases.items():
        if name in KINDS | ANSIBLE_OWN:
            yield f"releases.{name}: cannot have this name: it is that of a role or of an Ansible group"
        for node in NODE_NAMES.keys() & release.nodes.keys():
            yield f"releases.{name}.nodes.{node}: cannot have this name: {NODE_NAMES[node]}"
    stem = settings.storage_group.removesuffix("-hosts")
    own = {f"{name}-{kind}" for name in settings.releases for kind in (*KINDS, "data")}
    nodes = {alias for release in settings.releases.values() for alias in release.aliases()}
    full = {f"{name}-{alias}" for name, release in settings.releases.items() for alias in release.aliases()}
    if stem in KINDS | ANSIBLE_OWN | {"data", "hosts"} | own | set(settings.releases) | nodes | full:
        yield f"storageGroup: cannot be '{settings.storage_group}': a role, a release or a node has this name"


def networks(settings: "Settings") -> Iterator[str]:
    """Networks that overlap, or that hide the internet's addresses or the machines that settings name."""
    scopes: list[tuple[str, Scope]] = [
        ("bastion", settings.bastion),
        *((f"releases.{name}", release) for name, release in settings.releases.items()),
    ]
    ranges = [(where, scope.cidr) for where, scope in scopes]
    if settings.storage_network:
        ranges.append(("storageNetwork", settings.storage_network.cidr))
    for position, (where, cidr) in enumerate(ranges):
        for other, another in ranges[:position]:
            if cidr.overlaps(another):
                yield f"{where}.cidr {cidr} overlaps {other}.cidr {another}"
    for where, scope in scopes:
        if scope.existing_network:
            continue
        if scope.cidr.is_global:
            yield f"{where}.cidr {scope.cidr} is of the internet, whose machines it would hide; take a private one"
        for setting, address in _addresses(settings):
            if address in scope.cidr:
                yield f"{setting} {address} is in {where}.cidr {scope.cidr}, where this stack's own machines are"


def _addresses(settings: "Settings") -> Iterator[tuple[str, IPv4Address]]:
    """Addresses of machines that are not the stack's."""
    yield from (("dnsServers", address) for address in settings.dns_servers)
    given = settings.floating_ips
    yield from ((f"floatingIps.{at}", ip) for at, ip in (("public", given.public), ("bastion", given.bastion)) if ip)
    hosts = [
        *(("timeServers", host) for host in settings.time_servers),
        *(("nfsMounts", mount.source.partition(":")[0]) for mount in settings.nfs_mounts),
        *(("proxies", urlsplit(url).hostname or "") for url in settings.proxies.urls()),
    ]
    for setting, host in hosts:
        try:
            yield setting, IPv4Address(host)
        except AddressValueError:
            continue


def paths_and_volumes(settings: "Settings") -> Iterator[str]:
    """Places of the file system that are mounted over, and volumes that two machines would attach."""
    mounts = [PurePosixPath(mount.mount) for mount in settings.nfs_mounts]
    own = [PurePosixPath(facts.volume.mount) for facts in FACTS.values() if facts.volume]
    for path in dict.fromkeys(mounts):
        if mounts.count(path) > 1 or path in own:
            yield f"nfsMounts: {path} is mounted twice"
        elif hidden := next((own_path for own_path in OWN_PATHS if _nested(path, PurePosixPath(own_path))), None):
            yield f"nfsMounts: {path} cannot be mounted over the machine's own {hidden}"
        for other in dict.fromkeys(mounts):
            if other != path and path.is_relative_to(other):
                yield f"nfsMounts: {path} is inside {other}, which is mounted too"
    volumes = [v.existing for _, group in settings.groups() for v in group.volumes.values() if v.existing]
    for volume in dict.fromkeys(volumes):
        if volumes.count(volume) > 1:
            yield f"the existing volume {volume} is named twice: one machine can have it"


def _nested(path: PurePosixPath, other: PurePosixPath) -> bool:
    return path.is_relative_to(other) or other.is_relative_to(path)
