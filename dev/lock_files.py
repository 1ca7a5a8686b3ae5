"""Renew the lock files: `python -m dev.lock_files [--upgrade]`. Hashes, and no lines that name an index.

Without --upgrade versions stay, as far as the requirements let them.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
OPTIONS: Final = ("--generate-hashes", "--no-emit-index-url", "--no-emit-find-links", "--python-version", "3.11")
# Requirements of `pulumi up` that `idr` does not have.
PROGRAM: Final = ("--extra", "program")
# Without Ice: it is this project's own build, or OME's wheel by its sum.
NO_ICE: Final = ("--no-emit-package", "zeroc-ice")
LOCKS: Final[dict[str, tuple[str, ...]]] = {
    # For an operator's own machine, whatever its system.
    "requirements-idr.lock": ("pyproject.toml", "--universal"),
    "requirements.lock": ("pyproject.toml", *PROGRAM),
    "requirements-dev.lock": ("pyproject.toml", *PROGRAM, "requirements-dev.in"),
    # Before the files that use its versions as constraints.
    "cloudinit/web/requirements.lock": ("requirements.in", *NO_ICE),
    "cloudinit/omero-server/requirements.lock": ("requirements.in", "--universal", *NO_ICE),
    "dev/cloud/requirements.lock": ("requirements.in", "-c", "constraints.txt"),
    "dev/demo/requirements.lock": ("requirements.in", *NO_ICE),
    "harness/clients/requirements.lock": ("requirements.in", *NO_ICE),
}
"""What each lock file is made from, in its folder, and options of its own."""


def renew(extra: list[str], *, made_from: str = "") -> None:
    """Compile every lock file, or those that are made from one file; `extra` are more options of uv's."""
    for name, inputs in LOCKS.items():
        if made_from and made_from not in inputs:
            continue
        lock = ROOT / name
        command = [sys.executable, "-m", "uv", "pip", "compile", "-q", *OPTIONS, *extra, *inputs, "-o", lock.name]
        subprocess.run(command, cwd=lock.parent, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    renew(sys.argv[1:])
