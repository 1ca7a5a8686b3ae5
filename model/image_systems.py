"""Which operating system an image has, as its properties or its name say."""

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
    """A distribution and its version as an image names them; `version` is empty if it names none."""

    distribution: str
    version: str

    def __str__(self) -> str:
        return f"{self.distribution.capitalize()} {self.version}".strip()

    def is_another_distribution(self, system: System) -> bool:
        """Whether this is not the system's distribution, whatever the release."""
        return self.distribution != system.name.lower().split(" ")[0]

    def contradicts(self, system: System) -> bool:
        """Whether this is another system: 12.5 and 12 are the same, 22.04 and 24.04 are not."""
        version = system.name.split(" ")[1]
        is_another_release = bool(self.version) and not f"{self.version}.".startswith(f"{version}.")
        return is_another_release or self.is_another_distribution(system)


def by_properties(distribution: str | None, version: str | None) -> StatedSystem | None:
    """What Glance's properties `os_distro` and `os_version` say; None where they say nothing."""
    return StatedSystem(distribution.lower(), version or "") if distribution else None


def by_name(name: str) -> StatedSystem | None:
    """What an image's name says; None where it names no distribution."""
    text = name
    for codename, meant in CODENAMES.items():
        if re.search(rf"\b{codename}\b", name, re.IGNORECASE):
            text = meant
    match = _NAMED.search(text)
    return StatedSystem(match["distribution"].lower(), match["version"] or "") if match else None
