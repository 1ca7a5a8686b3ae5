"""Raw images on a Manila share of the stack: its settings in `storage`, and the location that nodes mount."""

from collections.abc import Iterator, Mapping, Sequence
from ipaddress import IPv4Address, IPv4Network
from typing import Final, Literal

from pydantic import Field, TypeAdapter, ValidationError

from model.field_types import MountPath, Name, NfsSource, NodeName, Section, VolumeGib
from model.hosts import is_dotted

PROTOCOL: Final = "NFS"
OPTIONS: Final = "vers=4"
"""The mount options of a share. The newest minor version of NFS 4 is negotiated; version 3 would need more ports."""
_SOURCE: TypeAdapter[str] = TypeAdapter(NfsSource)


class ExportLocationError(ValueError):
    """No export location of a share can be mounted."""


class ManilaShare(Section):
    """A Manila share of the stack's own, by NFS: read-write nodes write there, the others read."""

    kind: Literal["share"] = Field(description="Its kind")
    name: NodeName = Field(description="Its name; another name is another share")
    mount: MountPath = Field(description="Where it is on all OMERO nodes of all releases")
    size_gib: VolumeGib = Field(description="Size in GiB; may grow, never shrink")
    type: Name | None = Field(None, description="Share type of the cloud; its default where absent")

    def sources(self) -> Iterator[tuple[str, str]]:
        """Yield each path with the origin of its files."""
        yield self.mount, f"share {self.name}"


def source(name: str, locations: Sequence[Mapping[str, str]], storage: IPv4Network | None) -> str:
    """Return the export location to mount: the one that the cloud prefers, such as 192.0.2.1:/path.

    Raises ExportLocationError if there is none, or the firewalls do not allow it.
    """
    paths = [one["path"] for one in sorted(locations, key=lambda one: one.get("preferred") != "true")]
    usable = [path for path in paths if _is_source(path)]
    if not usable:
        msg = (
            f"share '{name}' has no export location that can be mounted by NFS over IPv4 "
            f"({', '.join(paths) or 'none at all'}): see `openstack share show`, and choose another type"
        )
        raise ExportLocationError(msg)
    reached = [path for path in usable if _is_reached(path, storage)]
    if not reached:
        msg = f"share '{name}' is at {usable[0]}, not in storageNetwork.cidr {storage}; NFS is closed elsewhere"
        raise ExportLocationError(msg)
    return reached[0]


def _is_source(path: str) -> bool:
    try:
        _SOURCE.validate_python(path)
    except ValidationError:
        return False
    return True


def _is_reached(path: str, storage: IPv4Network | None) -> bool:
    host = path.partition(":")[0]
    return storage is None or not is_dotted(host) or IPv4Address(host) in storage
