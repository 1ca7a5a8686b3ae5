"""The host's own Debian package sources, as apt itself understands them (one-line and deb822 alike)."""

import platform
import subprocess

from dev.image.cache import BuildError

SUITE = "bookworm"
FORMAT = "$(ORIGIN)|$(RELEASE)|$(REPO_URI)|$(COMPONENT)"


def source_lines() -> list[str]:
    """One `deb` line for each of Debian 12's main, updates and security sources known to the host's apt.

    Raises BuildError when there are none, or the host is not Debian 12 (its zeroc-ice would not fit).
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
        raise BuildError("apt knows no Debian 12 sources here; run `apt-get update` and try again")
    return list(dict.fromkeys(lines))


def transport_options() -> list[str]:
    """The host's apt settings about reaching those sources (proxy, certificates), as `Name "value"` lines."""
    dump = subprocess.run(["apt-config", "dump", "--no-empty"], check=True, capture_output=True, text=True)
    wanted = ("::proxy", "::cainfo", "::retries", "::timeout", "::verify-peer")
    return [
        line.rstrip(";")
        for line in dump.stdout.splitlines()
        if line.startswith("Acquire::") and any(word in line.lower() for word in wanted)
    ]
