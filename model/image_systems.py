"""The operating system of an image, by its properties or its name."""

import re
from dataclasses import dataclass

from model.systems import System

CODENAMES = {
    "bullseye": "debian 11",
    "bookworm": "debian 12",
    "trixie": "debian 13",
    "focal": "ubuntu 20.04",
    "jammy": "ubuntu 22.04",
    "noble": "ubuntu 24.04",
}
_NAMED = re.compile(
    r"(?P<distribution>debian|ubuntu|centos|rocky|alma|fedora|rhel|opensuse|suse)(?:\D{0,12}(?P<version>\d+(?:\.\d+)?))?",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class StatedSystem:
    """The distribution and version of an image; `version` is empty if unknown."""

    distribution: str
    version: str

    def __str__(self) -> str:
        return f"{self.distribution.capitalize()} {self.version}".strip()

    def is_another_distribution(self, system: System) -> bool:
        """Return whether the distribution is another one, regardless of its version."""
        return self.distribution != system.name.lower().split(" ")[0]

    def contradicts(self, system: System) -> bool:
        """Return whether this is another system: 12.5 and 12 are the same, 22.04 and 24.04 are not."""
        version = system.name.split(" ")[1]
        is_another_release = bool(self.version) and not f"{self.version}.".startswith(f"{version}.")
        return is_another_release or self.is_another_distribution(system)


def by_properties(distribution: str | None, version: str | None) -> StatedSystem | None:
    """Return the system by Glance's properties `os_distro` and `os_version`; None without them."""
    return StatedSystem(distribution.lower(), version or "") if distribution else None


def by_name(name: str) -> StatedSystem | None:
    """Return the system by an image's name; None if it names no distribution."""
    text = name
    for codename, meant in CODENAMES.items():
        if re.search(rf"\b{codename}\b", name, re.IGNORECASE):
            text = meant
    match = _NAMED.search(text)
    return StatedSystem(match["distribution"].lower(), match["version"] or "") if match else None
