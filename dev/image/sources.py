"""The host's Debian package sources, as apt reads them (one-line and deb822 format)."""

import platform
import subprocess

from dev.image.cache import BuildError

SUITE = "bookworm"
FORMAT = "$(ORIGIN)|$(RELEASE)|$(REPO_URI)|$(COMPONENT)"


def source_lines() -> list[str]:
    """Return a `deb` line for each source of the host's apt: Debian 12's main, updates and security.

    Raise BuildError when there are none, or when the host is not Debian 12, because it builds the wheel of zeroc-ice.
    """
    if platform.freedesktop_os_release().get("VERSION_CODENAME") != SUITE:
        raise BuildError("the guest image is built on Debian 12 (bookworm) only: it shares the host's packages")
    command = ["apt-get", "indextargets", "--format", FORMAT, "Created-By: Packages"]
    listing = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    rows = (line.split("|") for line in listing.splitlines())
    lines = [
        f"deb {uri} {release} {component}"
        for origin, release, uri, component in rows
        if origin == "Debian" and release.split("-")[0] == SUITE and component == "main"
    ]
    if not lines:
        raise BuildError("apt has no Debian 12 sources on this machine; run `apt-get update` and try again")
    return list(dict.fromkeys(lines))


def transport_options() -> list[str]:
    """Return the host's apt settings for these sources (proxy, certificates), as `Name "value"` lines."""
    dump = subprocess.run(["apt-config", "dump", "--no-empty"], check=True, capture_output=True, text=True)
    names = ("::proxy", "::cainfo", "::retries", "::timeout", "::verify-peer")
    return [
        line.rstrip(";")
        for line in dump.stdout.splitlines()
        if line.startswith("Acquire::") and any(name in line.lower() for name in names)
    ]
