"""Debian packages that this project's tools need: looked at first, installed only where missing, nothing started."""

import contextlib
import os
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

Say = Callable[[str], None]
POLICY = Path("/usr/sbin/policy-rc.d")


class PackageError(Exception):
    """Packages are missing and cannot be installed; the text says which and why."""


def read_list(file: Path) -> list[str]:
    """The names in a list, one a line; comments begin with `#`."""
    return [line for line in file.read_text().splitlines() if line and not line.startswith("#")]


def missing(names: Sequence[str]) -> list[str]:
    """Those that are not installed."""
    query = ["dpkg-query", "-W", "-f", "${db:Status-Status} ${Package}\n", *names]
    shown = subprocess.run(query, capture_output=True, text=True, check=False).stdout
    there = {line.split()[1] for line in shown.splitlines() if line.startswith("installed ")}
    return [name for name in names if name not in there]


def ensure(names: Sequence[str], say: Say) -> None:
    """Install what is missing.

    Raises PackageError when that needs another user or system, or apt fails.
    """
    wanted = missing(names)
    if not wanted:
        return
    if os.geteuid() != 0:
        msg = f"these Debian packages are missing; as root: apt-get install {' '.join(wanted)}"
        raise PackageError(msg)
    say(f"installing {len(wanted)} Debian packages")
    options = ["-y", "-qq", "--no-install-recommends", "-o", "Dpkg::Options::=--force-confold"]
    with _nothing_starts():
        _apt(["update", "-qq"])
        _apt(["install", *options, *wanted])


def _apt(arguments: Sequence[str]) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(["apt-get", *arguments], env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        last = "\n".join((done.stdout + done.stderr).strip().splitlines()[-8:])
        msg = f"apt-get {arguments[0]} failed:\n{last}"
        raise PackageError(msg)


@contextlib.contextmanager
def _nothing_starts() -> Iterator[None]:
    """Forbid packages to start their services meanwhile: the tools run their own, where nobody else sees them."""
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
