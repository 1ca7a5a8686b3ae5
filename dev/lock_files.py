"""Renew the lock files, with hashes and without index URLs: `python -m dev.lock_files [--upgrade]`.

Without --upgrade, versions stay the same if the requirements permit them.
"""

import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
OPTIONS: Final = ("--generate-hashes", "--no-emit-index-url", "--no-emit-find-links", "--python-version", "3.11")
# Requirements of `pulumi up` that an installed `idr` does not need.
PROGRAM: Final = ("--extra", "program")
# Without Ice: nodes use this project's build, or OME's wheel with its checksum.
NO_ICE: Final = ("--no-emit-package", "zeroc-ice")
LOCKS: Final[dict[str, tuple[str, ...]]] = {
    # For operators' own machines, with any system.
    "requirements-idr.lock": ("pyproject.toml", "--universal"),
    "requirements.lock": ("pyproject.toml", *PROGRAM),
    "requirements-dev.lock": ("pyproject.toml", *PROGRAM, "requirements-dev.in"),
    # Before the lock files that use its versions as constraints.
    "cloudinit/web/requirements.lock": ("requirements.in", *NO_ICE),
    "cloudinit/omero-server/requirements.lock": ("requirements.in", "--universal", *NO_ICE),
    "dev/cloud/requirements.lock": ("requirements.in", "-c", "constraints.txt"),
    "dev/demo/requirements.lock": ("requirements.in", *NO_ICE),
    "harness/clients/requirements.lock": ("requirements.in", *NO_ICE),
}
"""The inputs of each lock file, in its folder, and its additional options."""


def renew(extra: list[str], *, made_from: str = "") -> None:
    """Compile every lock file, or those with the input `made_from`; `extra` are additional options of uv."""
    for name, inputs in LOCKS.items():
        if made_from and made_from not in inputs:
            continue
        lock = ROOT / name
        command = [sys.executable, "-m", "uv", "pip", "compile", "-q", *OPTIONS, *extra, *inputs, "-o", lock.name]
        subprocess.run(command, cwd=lock.parent, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    renew(sys.argv[1:])
