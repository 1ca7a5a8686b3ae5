"""Installs missing Debian packages that this project's tools need.

The services of these packages are not started, neither now nor at boot.
"""

import contextlib
import os
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

Say = Callable[[str], None]
POLICY = Path("/usr/sbin/policy-rc.d")
UNITS = ("/lib/systemd/system", "/usr/lib/systemd/system")
STARTING = (".path", ".service", ".socket", ".timer")


class PackageError(Exception):
    """Packages are missing and cannot be installed; the text says which and why."""


def read_list(file: Path) -> list[str]:
    """Return the names in a list, one a line; comments begin with `#`."""
    return [line for line in file.read_text().splitlines() if line and not line.startswith("#")]


def missing(names: Sequence[str]) -> list[str]:
    """Return the packages that are not installed."""
    there = _installed(names)
    return [name for name in names if name not in there]


def _installed(names: Sequence[str] = ()) -> set[str]:
    """Return the packages that are installed; without names, all installed packages."""
    query = ["dpkg-query", "-W", "-f", "${db:Status-Status} ${Package}\n", *names]
    shown = subprocess.run(query, capture_output=True, text=True, check=False).stdout
    return {line.split()[1] for line in shown.splitlines() if line.startswith("installed ")}


def ensure(names: Sequence[str], say: Say) -> list[str]:
    """Install missing packages; return all packages that were installed, with dependencies.

    Raises PackageError when the user is not root or apt fails.
    """
    wanted = missing(names)
    if not wanted:
        return []
    if os.geteuid() != 0:
        msg = f"these Debian packages are missing; as root: apt-get install {' '.join(wanted)}"
        raise PackageError(msg)
    say(f"installing {len(wanted)} Debian packages")
    before = _installed()
    options = ["-y", "-qq", "--no-install-recommends", "-o", "Dpkg::Options::=--force-confold"]
    with _nothing_starts():
        _apt(["update", "-qq"])
        _apt(["install", *options, *wanted])
    # Services that existed before belong to the user and are not changed.
    new = sorted(_installed() - before)
    _disable(new)
    return new


def remove_services(names: Sequence[str], say: Say) -> None:
    """Remove the packages with services, unless apt would also remove a package that is not among `names`.

    Raises PackageError when apt fails.
    """
    there = _installed(names) if names else set()
    bringing = [name for name in names if name in there and services(_files([name]))]
    if not bringing:
        return
    planned = _apt(["remove", "--simulate", *bringing])
    others = {line.split()[1] for line in planned.splitlines() if line.startswith("Remv ")} - set(names)
    if others:
        say(f"these Debian packages stay, because {', '.join(sorted(others))} need them: {' '.join(bringing)}")
        return
    say(f"removing {len(bringing)} Debian packages with services")
    with _nothing_starts():
        _apt(["remove", "-y", "-qq", *bringing])


def _files(packages: Sequence[str]) -> str:
    return subprocess.run(["dpkg-query", "-L", *packages], capture_output=True, text=True, check=True).stdout


def services(listed: str) -> list[str]:
    """Return the services among the files of packages: names of units and of scripts in /etc/init.d."""
    files = [Path(line) for line in listed.splitlines()]
    units = {file.name for file in files if str(file.parent) in UNITS and file.suffix in STARTING}
    return sorted(units | {f"{file.name}.service" for file in files if str(file.parent) == "/etc/init.d"})


def _disable(packages: Sequence[str]) -> None:
    """Disable the packages' services, so that they do not start when the machine boots.

    Only links are removed. No running systemd is needed, because none of the services runs.
    """
    for name in services(_files(packages)) if packages else ():
        # One by one: if a unit cannot be disabled, such as an alias, the next must still be disabled.
        for command in (["systemctl", "disable", name], ["update-rc.d", name.removesuffix(".service"), "disable"]):
            with contextlib.suppress(FileNotFoundError):  # a machine may have only one of the two commands
                subprocess.run(command, env={**os.environ, "SYSTEMD_OFFLINE": "1"}, check=False, capture_output=True)


def _apt(arguments: Sequence[str]) -> str:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(["apt-get", *arguments], env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        last = "\n".join((done.stdout + done.stderr).strip().splitlines()[-8:])
        msg = f"apt-get {arguments[0]} failed:\n{last}"
        raise PackageError(msg)
    return done.stdout


@contextlib.contextmanager
def _nothing_starts() -> Iterator[None]:
    """Prevent packages from starting their services on installation: the tools start their own, in namespaces."""
    aside = POLICY.with_name("policy-rc.d.before-idr")
    if POLICY.exists() and not aside.exists():
        POLICY.rename(aside)
    POLICY.write_text("#!/bin/sh\nexit 101\n")
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        POLICY.unlink()
        if aside.exists():
            aside.rename(POLICY)
