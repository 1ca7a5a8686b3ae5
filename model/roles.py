"""The roles a node can carry, and what follows from a role alone."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a node does. A node carries one role or several."""

    BASTION = "bastion"
    DATABASE = "database"
    REDIS = "redis"
    OMERO_READWRITE = "omero-readwrite"
    OMERO_READONLY = "omero-readonly"
    WEB = "web"
    PROXY = "proxy"
    MANAGEMENT = "management"


@dataclass(frozen=True)
class VolumePurpose:
    """A data volume that a role keeps: its name in the stack file and where it is mounted in the guest.

    `ansible_variable` is the name under which IDR's playbooks (os-idr-volumes.yml) read its device.
    """

    name: str
    mount: str
    required: bool
    ansible_variable: str


@dataclass(frozen=True)
class RoleFacts:
    """What is the same for a role on every cloud.

    `first_host` is the host part of the first address of a node whose first role this is, `last_host` of the last:
    blocks are disjoint, so an address depends on the node's own role and number only. The roles of one node divide its
    memory by their `share`.
    """

    first_host: int
    last_host: int
    share: int
    packages: tuple[str, ...]
    volume: VolumePurpose | None = None


FACTS: dict[Role, RoleFacts] = {
    Role.BASTION: RoleFacts(10, 10, 1, ()),
    Role.DATABASE: RoleFacts(
        20,
        20,
        4,
        ("postgresql", "xfsprogs"),
        VolumePurpose("db", "/var/lib/postgresql", True, "database_db_vol_dev"),
    ),
    Role.REDIS: RoleFacts(30, 30, 1, ("redis-server",)),
    Role.OMERO_READWRITE: RoleFacts(
        40, 40, 4, ("xfsprogs",), VolumePurpose("data", "/data", False, "omero_data_vol_dev")
    ),
    Role.PROXY: RoleFacts(
        50,
        59,
        1,
        ("nginx", "libnginx-mod-stream", "xfsprogs"),
        VolumePurpose("nginxcache", "/var/cache/nginx", False, "gateway_nginxcache_vol_dev"),
    ),
    Role.MANAGEMENT: RoleFacts(
        60,
        60,
        1,
        ("python3-h2", "python3-httpx", "python3-rich", "python3-typer", "xfsprogs"),
        VolumePurpose("data", "/data", False, "data_vol_dev"),
    ),
    Role.WEB: RoleFacts(70, 99, 2, ("nginx", "python3-venv")),
    Role.OMERO_READONLY: RoleFacts(100, 199, 4, ()),
}

OMERO_ROLES = frozenset({Role.OMERO_READWRITE, Role.OMERO_READONLY})
COMMON_PACKAGES = (
    "chrony",
    "cloud-guest-utils",
    "curl",
    "needrestart",
    "nftables",
    "openssh-server",
    "prometheus-node-exporter",
    "python3",
    "sudo",
    "unattended-upgrades",
)
