"""Resolve the lock files of `idr:omero.addons` and `idr:web.requirements`: Python packages of a site."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from idr.errors import IdrError
from model.addons import Base
from model.systems import UBUNTU

# As nodes install them: only packages in the file, and Ice from OME's wheel.
OPTIONS = ("--generate-hashes", "--no-emit-index-url", "--no-emit-find-links", "--no-emit-package", "zeroc-ice", "-q")
PLATFORM = "x86_64-manylinux_2_28"


def resolved(base: Base, lock: Path, *, renew: bool) -> str:
    """Return the text of the lock file, resolved from the packages in the .in file beside it.

    Versions are kept if possible, unless `renew` requests the newest. Raises IdrError if uv fails.
    """
    input_file = lock.with_suffix(".in")
    if not input_file.is_file():
        msg = f"idr:{base.setting}: there is no {os.path.relpath(input_file)}: name the packages in it, one a line"
        raise IdrError(msg)
    if not any(line.partition("#")[0].strip() for line in input_file.read_text().splitlines()):
        msg = f"idr:{base.setting}: {os.path.relpath(input_file)} names no package: write one a line, as in name==1.0"
        raise IdrError(msg)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, lock.name)
        # Constraints: the program's own versions. Comments in uv's output name this file.
        own = Path(folder, base.lock.parent.name, base.lock.name)
        own.parent.mkdir()
        own.write_text(base.without(base.replaced(input_file.read_text())))
        if lock.is_file():
            copy.write_text(lock.read_text())
        command = [sys.executable, "-m", "uv", "pip", "compile", *OPTIONS]
        # This Python, because uv would search the machine for one of that version.
        command += ["--python", sys.executable, "--python-version", UBUNTU.python]
        command += ["--python-platform", PLATFORM, "-c", str(own), *(["--upgrade"] if renew else [])]
        command += [input_file.name, "-o", str(copy)]
        # The command in the first comment of the file.
        environment = os.environ | {"UV_CUSTOM_COMPILE_COMMAND": "bin/idr pin"}
        done = subprocess.run(
            command, cwd=input_file.parent, env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            own_stay = f" {base.name}'s own packages keep their versions." if "No solution" in done.stderr else ""
            msg = f"idr:{base.setting}: {input_file.name}: {_reason(done.stderr)}{own_stay} Nothing was written"
            raise IdrError(msg)
        # Remove paths of this machine.
        return copy.read_text().replace(f"{folder}/", "")


def _reason(output: str) -> str:
    """Return uv's message on one line."""
    lines = (line.strip().removeprefix("error: ").removeprefix("cause: ") for line in output.splitlines())
    return " ".join(filter(None, lines)) or "uv gave no reason."
