"""Addresses, ports and folders. They are fixed: there is one cloud per machine, and nothing to configure."""

import hashlib
import ipaddress
import json
import os
import platform
import secrets
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Final, Self

from dev.image.cache import cache_root

HERE: Final = Path(__file__).resolve().parent
CHECKOUT: Final = HERE.parent.parent

EXTERNAL: Final = ipaddress.IPv4Network("198.51.100.0/24")
"""The external network: a documentation range (RFC 5737), so that no real network is shadowed."""
ADDRESS: Final = "198.51.100.1"
"""The cloud's own address on it: APIs and the routers' gateway."""
HOST_ADDRESS: Final = "198.51.100.2"
"""The machine's address on it. The APIs accept only requests from there."""
HOST_LINK: Final = "idr-cloud"
"""The machine's end of the veth pair into the cloud."""
CLOUD_LINK: Final = "host0"
"""The cloud's end of the veth pair."""
BRIDGE_MAC: Final = "02:00:c6:33:64:01"
"""The MAC address of the bridge: locally administered, then ADDRESS in hexadecimal."""
PHYSICAL_MTU: Final = 1550
"""The MTU of the external bridge: VXLAN needs 50 bytes of each packet, and guests ignore DHCP's MTU and send 1500."""
FLOATING: Final = ("198.51.100.10", "198.51.100.200")

PORTS: Final = {
    "keystone": 5000,
    "placement": 8778,
    "glance": 9292,
    "nova": 8774,
    "neutron": 9696,
    "cinder": 8776,
}
URLS: Final = {name: f"http://{ADDRESS}:{port}" for name, port in PORTS.items()} | {
    "keystone": f"http://{ADDRESS}:{PORTS['keystone']}/v3"
}
DATABASES: Final = ("keystone", "glance", "placement", "nova_api", "nova", "nova_cell0", "neutron", "cinder")
SECRETS: Final = (
    *("admin", "idr", "keystone", "glance", "placement", "nova", "neutron", "cinder"),
    *("database", "bus", "metadata"),
)


class Kind(StrEnum):
    """The kind of real guests."""

    CONTAINER = "container"
    KVM = "kvm"
    QEMU = "qemu"
    NONE = "none"


@dataclass(frozen=True)
class Choice:
    """The computes of a cloud: the kind of the real one, and the number of fake ones."""

    kind: Kind
    fakes: int

    @property
    def hosts(self) -> list[str]:
        """Nova's host names, the real one first."""
        real = [] if self.kind is Kind.NONE else ["local"]
        return real + [f"fake{n}" for n in range(1, self.fakes + 1)]


def environment() -> Path:
    """Return OpenStack's folder in the cache: one per lock file and Python."""
    lock = (HERE / "requirements.lock").read_bytes()
    key = hashlib.sha256(lock + sys.version.encode() + platform.machine().encode()).hexdigest()
    return cache_root() / "cloud" / key[:16]


@dataclass(frozen=True)
class State:
    """The folder of one cloud."""

    root: Path

    @classmethod
    def at(cls, path: Path | None) -> Self:
        """Return the state at `path`, or this checkout's own."""
        return cls((path or CHECKOUT / ".local" / "cloud").resolve())

    def folder(self, name: str) -> Path:
        """Return a folder in it, only for root; create it if missing."""
        path = self.root / name
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        return path

    @property
    def etc(self) -> Path:
        """The rendered configuration files."""
        return self.folder("etc")

    @property
    def log(self) -> Path:
        """One file per service."""
        return self.folder("log")

    @property
    def run(self) -> Path:
        """Files that exist only while the cloud runs."""
        return self.folder("run")

    @property
    def disks(self) -> Path:
        """Images, guests' disks and volumes: a file system of its own, mounted only in the cloud."""
        return self.folder("disks")

    @property
    def disk_file(self) -> Path:
        """The sparse file of that file system."""
        return self.root / "disks.xfs"

    @property
    def clouds_yaml(self) -> Path:
        """clouds.yaml with the logins of member and administrator."""
        return self.root / "clouds.yaml"

    def done(self, what: str) -> Path:
        """Return the file that marks a first-time step as done."""
        return self.folder("done") / what

    def secrets(self) -> dict[str, str]:
        """Return the cloud's passwords, created at the first call."""
        path = self.root / "secrets.json"
        if path.exists():
            passwords: dict[str, str] = json.loads(path.read_text())
            return passwords
        passwords = {name: secrets.token_urlsafe(24) for name in SECRETS}
        write_private(path, json.dumps(passwords, indent=1))
        return passwords

    def packages(self) -> list[str]:
        """Return the Debian packages that were installed for this cloud."""
        path = self.root / "packages"
        return path.read_text().split() if path.exists() else []

    def add_packages(self, names: Sequence[str]) -> None:
        """Record packages for `wipe`."""
        write_private(self.root / "packages", "\n".join(sorted({*self.packages(), *names})) + "\n")

    def started(self) -> datetime:
        """Return when the running cloud was started."""
        return datetime.fromtimestamp((self.root / "run" / "started").stat().st_mtime, UTC)

    def save_choice(self, choice: Choice) -> None:
        """Record the computes for the next `up`."""
        write_private(self.root / "choice.json", json.dumps({"kind": choice.kind, "fakes": choice.fakes}))

    def choice(self) -> Choice | None:
        """Return the computes of the last `up`, if there was one."""
        path = self.root / "choice.json"
        if not path.exists():
            return None
        entry = json.loads(path.read_text())
        return Choice(Kind(entry["kind"]), int(entry["fakes"]))


def write_private(path: Path, text: str) -> None:
    """Write a file that only root can read, atomically."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    new.replace(path)
