"""Raw images: what OMERO nodes have of them, at the same paths on all nodes of a release. Each entry says its kind."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Annotated, Final, Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import Field

from model import collisions
from model.field_types import MachineNetwork, MountPath, Name, Section, Shape
from model.nfs import NfsMount
from model.object_stores import S3Mount

SETTING: Final = "storage"
FORMER: Final = {"nfsMounts": "nfs", "s3Mounts": "s3"}
"""Settings that became kinds of entries: read for one version more."""

LinkPath = Annotated[
    str, Shape("[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*", "a path below `mount`, as in idr0001")
]


class StorageNetwork(Section):
    """A network of the cloud that leads to the storage servers: OMERO nodes get a second interface in it."""

    name: Name = Field(description="Its name in the cloud")
    cidr: MachineNetwork = Field(description="Where the storage servers are: OMERO nodes may reach NFS there")
    port_security: bool = Field(True, description="false where the network has port security off: ports without groups")


class LocalPath(Section):
    """A folder that is on all OMERO nodes already: on a volume, or mounted by a role of the site's own."""

    kind: Literal["path"] = Field(description="Its kind")
    mount: MountPath = Field(description="Where it is; it must have something in it")

    def sources(self) -> Iterator[tuple[str, str]]:
        """Where the files come from, by path."""
        yield self.mount, "already on the nodes"


class LinkTree(Section):
    """A folder of links to other entries, so that paths stay as OMERO knows them wherever the files are."""

    kind: Literal["links"] = Field(description="Its kind")
    mount: MountPath = Field(description="The folder, as in /uod/idr/filesets")
    links: dict[LinkPath, MountPath] = Field(
        min_length=1, description="Path in the folder to what it leads to, which is below another entry's mount"
    )

    def sources(self) -> Iterator[tuple[str, str]]:
        """Where the files come from, by path."""
        yield from ((f"{self.mount}/{name}", f"link to {target}") for name, target in self.links.items())

    def problems(self) -> Iterator[str]:
        """A link that would have to be a folder for another one."""
        for name in self.links:
            if above := next((str(one) for one in PurePosixPath(name).parents if str(one) in self.links), None):
                yield f"links: '{name}' would be inside the link '{above}'"


Entry = Annotated[NfsMount | S3Mount | LocalPath | LinkTree, Field(discriminator="kind")]
"""One entry of the setting."""

LOCAL: Final = (LocalPath, LinkTree)
"""The kinds that the role `local-storage` takes care of."""
Kind = TypeVar("Kind", NfsMount, S3Mount, LocalPath, LinkTree)


@dataclass(frozen=True)
class Placed:
    """An entry, and the setting that says it."""

    setting: str
    entry: Entry

    @property
    def list(self) -> str:
        """The setting without the entry's number."""
        return self.setting.partition(".")[0]


def placed(lists: Mapping[str, Sequence[Entry]]) -> tuple[Placed, ...]:
    """The entries of all lists, by the setting of each."""
    return tuple(
        Placed(f"{name}.{number}", one) for name, entries in lists.items() for number, one in enumerate(entries)
    )


def of_kind(entries: Iterable[Entry], kind: type[Kind]) -> tuple[Kind, ...]:
    """The entries of one kind."""
    return tuple(one for one in entries if isinstance(one, kind))


def servers(entries: Iterable[Placed]) -> dict[str, str]:
    """NFS servers with their paths, by the setting that names each."""
    return {one.setting: one.entry.source for one in entries if isinstance(one.entry, NfsMount)}


def endpoints(entries: Iterable[Placed]) -> dict[str, str]:
    """Where object stores are, by the setting that names each."""
    return {f"{one.setting}.endpoint": one.entry.endpoint for one in entries if isinstance(one.entry, S3Mount)}


def hosts(entries: Iterable[Placed]) -> Iterator[tuple[str, str]]:
    """The hosts that are not the stack's, with the setting that names each."""
    of_urls = {setting: urlsplit(url).hostname or "" for setting, url in endpoints(entries).items()}
    of_shares = {setting: source.partition(":")[0] for setting, source in servers(entries).items()}
    yield from ((setting.partition(".")[0], host) for setting, host in (of_shares | of_urls).items())


def problems(entries: Sequence[Placed], site_mounts: Sequence[str]) -> Iterator[str]:
    """What entries say against each other, and against where the site's own roles have their volumes."""
    # Nothing is mounted or made at a path that is there already.
    made = [one for one in entries if not isinstance(one.entry, LocalPath)]
    mounts: dict[str, list[str]] = {}
    for one in made:
        mounts.setdefault(one.list, []).append(one.entry.mount)
    yield from collisions.paths(mounts, site_mounts)
    places = [PurePosixPath(one.entry.mount) for one in entries if not isinstance(one.entry, LinkTree)]
    for one in entries:
        for name, target in one.entry.links.items() if isinstance(one.entry, LinkTree) else ():
            if not any(PurePosixPath(target).is_relative_to(place) for place in places):
                yield f"{one.setting}.links.{name}: {target} is below no other entry's mount, so nothing would be there"


def former_names(entries: Iterable[Placed]) -> Iterator[str]:
    """What to write instead of settings that have another name now, one text for each."""
    for name in dict.fromkeys(one.list for one in entries if one.list in FORMER):
        yield (
            f"idr:{name} is read for one version more: write its entries below idr:{SETTING}, each with "
            f"`kind: {FORMER[name]}`; nothing else changes"
        )
