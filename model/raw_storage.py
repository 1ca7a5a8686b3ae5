"""Storage of raw images, at the same paths on all OMERO nodes of a release. Each entry has a kind."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Annotated, Final, Literal, TypeVar
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import Field

from model import collisions
from model.field_types import MachineNetwork, MountPath, Name, NodeName, ReleaseName, Section, Shape
from model.manila import ManilaShare
from model.nfs import NfsMount
from model.object_stores import S3Mount
from model.release_settings import DataVolume, Release
from model.roles import Role, role_facts

SETTING: Final = "storage"
FORMER: Final = {"nfsMounts": "nfs", "s3Mounts": "s3"}
"""Former settings that are now kinds of entries. The next version does not read them."""

LinkPath = Annotated[
    str,
    Shape(
        "[A-Za-z0-9_][A-Za-z0-9._-]{0,254}(/[A-Za-z0-9_][A-Za-z0-9._-]{0,254})*", "a path below `mount`, as in idr0001"
    ),
]


class StorageNetwork(Section):
    """A network of the cloud that leads to the storage servers: OMERO nodes get a second interface in it."""

    name: Name = Field(description="Its name in the cloud")
    cidr: MachineNetwork = Field(description="Where the storage servers are: OMERO nodes may reach NFS there")
    port_security: bool = Field(True, description="false where the network has port security off: ports without groups")


class LocalPath(Section):
    """An existing folder on all OMERO nodes: on a volume, or mounted by a role of the site's own."""

    kind: Literal["path"] = Field(description="Its kind")
    mount: MountPath = Field(description="Where it is; it must have something in it")

    def sources(self) -> Iterator[tuple[str, str]]:
        """Yield each path with the origin of its files."""
        yield self.mount, "already on the nodes"


class RawVolume(DataVolume):
    """A Cinder volume on the read-write node of a release, which shares it read-only with the release's other nodes."""

    kind: Literal["volume"] = Field(description="Its kind")
    name: NodeName = Field(description="Its name; another name is another volume")
    release: ReleaseName = Field(description="The release whose nodes have it")
    mount: MountPath = Field(description="Where it is on all of them")

    def sources(self) -> Iterator[tuple[str, str]]:
        """Yield each path with the origin of its files."""
        source = self.source and (self.source.volume or self.source.snapshot)
        origin = f"existing {self.existing}" if self.existing else f"copy of {source}" if source else "new"
        yield f"{self.mount} ({self.release})", f"volume {self.name}, {origin}"


class LinkTree(Section):
    """A folder of links to other entries, so that the paths in OMERO stay the same when files move."""

    kind: Literal["links"] = Field(description="Its kind")
    mount: MountPath = Field(description="The folder, as in /uod/idr/filesets")
    links: dict[LinkPath, MountPath] = Field(
        min_length=1, description="Path in the folder to what it leads to, which is below another entry's mount"
    )

    def sources(self) -> Iterator[tuple[str, str]]:
        """Yield each path with the origin of its files."""
        yield from ((f"{self.mount}/{name}", f"link to {target}") for name, target in self.links.items())

    def problems(self) -> Iterator[str]:
        """Yield links inside other links."""
        for name in self.links:
            if above := next((str(one) for one in PurePosixPath(name).parents if str(one) in self.links), None):
                yield f"links: '{name}' would be inside the link '{above}'"


Entry = Annotated[NfsMount | S3Mount | ManilaShare | RawVolume | LocalPath | LinkTree, Field(discriminator="kind")]
"""One entry of the setting."""

FOLDERS: Final = (LocalPath, LinkTree)
"""The kinds without a mount."""
LOCAL: Final = (RawVolume, *FOLDERS)
"""The kinds that the role `local-storage` manages."""
Kind = TypeVar("Kind", NfsMount, S3Mount, ManilaShare, RawVolume, LocalPath, LinkTree)


@dataclass(frozen=True)
class StorageEntry:
    """An entry with its setting, such as storage.0."""

    setting: str
    entry: Entry

    @property
    def list(self) -> str:
        """The name of the list of entries."""
        return self.setting.partition(".")[0]


def storage_entries(lists: Mapping[str, Sequence[Entry]]) -> tuple[StorageEntry, ...]:
    """Return the entries of all lists, each with its setting."""
    return tuple(
        StorageEntry(f"{name}.{number}", one) for name, entries in lists.items() for number, one in enumerate(entries)
    )


def of_kind(entries: Iterable[Entry], kind: type[Kind]) -> tuple[Kind, ...]:
    """Return the entries of one kind."""
    return tuple(one for one in entries if isinstance(one, kind))


def servers(entries: Iterable[StorageEntry]) -> dict[str, str]:
    """Return NFS servers with their paths, by setting."""
    return {one.setting: one.entry.source for one in entries if isinstance(one.entry, NfsMount)}


def endpoints(entries: Iterable[StorageEntry]) -> dict[str, str]:
    """Return the endpoints of object stores, by setting."""
    return {f"{one.setting}.endpoint": one.entry.endpoint for one in entries if isinstance(one.entry, S3Mount)}


def hosts(entries: Iterable[StorageEntry]) -> Iterator[tuple[str, str]]:
    """Yield the hosts outside the stack, each with its setting."""
    of_urls = {setting: urlsplit(url).hostname or "" for setting, url in endpoints(entries).items()}
    of_shares = {setting: source.partition(":")[0] for setting, source in servers(entries).items()}
    yield from ((setting.partition(".")[0], host) for setting, host in (of_shares | of_urls).items())


def by_name(entries: Iterable[StorageEntry]) -> list[str]:
    """Return the settings of NFS servers to which a firewall cannot be limited: the plan resolves no names."""
    return [one.setting for one in entries if isinstance(one.entry, NfsMount) and one.entry.only_server() is None]


def existing(entries: Iterable[Entry]) -> list[UUID]:
    """Return the ids of existing volumes."""
    return [volume.existing for volume in of_kind(entries, RawVolume) if volume.existing]


def in_release(entries: Iterable[Entry], release: str) -> tuple[Entry, ...]:
    """Return the entries of a release's nodes."""
    return tuple(one for one in entries if not isinstance(one, RawVolume) or one.release == release)


def volumes_of(entries: Iterable[Entry], release: str) -> tuple[RawVolume, ...]:
    """Return the volumes of a release."""
    return of_kind(in_release(entries, release), RawVolume)


def problems(
    entries: Sequence[StorageEntry], releases: Mapping[str, Release], site_mounts: Sequence[str]
) -> Iterator[str]:
    """Yield contradictions between entries, and with releases and the mounts of the site's own roles."""
    for one in entries:
        if isinstance(one.entry, RawVolume) and (wrong := _has_no_node(one.entry, releases)):
            yield f"{one.setting}.{wrong}"
    messages = (
        text
        for release in releases
        for text in _in_one_release([one for one in entries if in_release([one.entry], release)], site_mounts)
    )
    yield from dict.fromkeys(messages)


def _has_no_node(volume: RawVolume, releases: Mapping[str, Release]) -> str | None:
    """Say why no node can have a volume; None if one can."""
    release = releases.get(volume.release)
    if release is None:
        return f"release: '{volume.release}' is not one of the releases: {', '.join(releases)}"
    writers = [group for group in release.nodes.values() if Role.OMERO_READWRITE in group.roles]
    if not writers:
        return (
            f"release: {volume.release} has no node with the role {Role.OMERO_READWRITE}, which would have the volume"
        )
    if volume.name in {kept.name for role in writers[0].roles if (kept := role_facts(role).volume)}:
        return f"name: '{volume.name}' is a volume of the node's own already; take another name"
    return None


def _in_one_release(entries: Sequence[StorageEntry], site_mounts: Sequence[str]) -> Iterator[str]:
    # Nothing is mounted or created at an existing path.
    shares = [one for one in entries if not isinstance(one.entry, LocalPath)]
    mounts: dict[str, list[str]] = {}
    for one in shares:
        mounts.setdefault(one.list, []).append(one.entry.mount)
    yield from collisions.paths(mounts, site_mounts)
    for what, kind in (("volumes", RawVolume), ("shares", ManilaShare)):
        names = [one.entry.name for one in entries if isinstance(one.entry, kind)]
        twice = (name for name in dict.fromkeys(names) if names.count(name) > 1)
        yield from (f"{SETTING}: two {what} are named '{name}'" for name in twice)
    paths = [PurePosixPath(one.entry.mount) for one in entries if not isinstance(one.entry, LinkTree)]
    for one in entries:
        for name, target in one.entry.links.items() if isinstance(one.entry, LinkTree) else ():
            if not any(PurePosixPath(target).is_relative_to(path) for path in paths):
                yield f"{one.setting}.links.{name}: {target} is below no other entry's mount, so nothing would be there"


def former_names(entries: Iterable[StorageEntry]) -> Iterator[str]:
    """Say what to write instead of each renamed setting."""
    for name in dict.fromkeys(one.list for one in entries if one.list in FORMER):
        yield (
            f"idr:{name} is read for one version more: write its entries below idr:{SETTING}, each with "
            f"`kind: {FORMER[name]}`; nothing else changes"
        )


def open_shares(entries: Iterable[Entry]) -> Iterator[str]:
    """Yield what to say of Manila shares where no storage network says where they are."""
    if names := ", ".join(f"'{share.name}'" for share in of_kind(entries, ManilaShare)):
        yield (
            f"idr:storageNetwork: is not set, so OMERO nodes may reach NFS anywhere, for the share {names}: set it, "
            "where the cloud has a network for shares"
        )
