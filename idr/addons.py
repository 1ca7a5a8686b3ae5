"""Writes the lock files of `idr:omero.addons` and `idr:web.requirements`: Python packages beside the program's own."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from idr.errors import IdrError
from model.addons import Base
from model.systems import UBUNTU

# As a node installs them: only packages in the file, and Ice from OME's wheel.
OPTIONS = ("--generate-hashes", "--no-emit-index-url", "--no-emit-find-links", "--no-emit-package", "zeroc-ice", "-q")
PLATFORM = "x86_64-manylinux_2_28"


def resolved(base: Base, lock: Path, *, renew: bool) -> str:
    """The text of the lock file, resolved from the packages in the .in file beside it.

    Versions stay, as far as these let them, unless `renew` asks for the newest. Raises IdrError where uv refuses.
    """
    wanted = lock.with_suffix(".in")
    if not wanted.is_file():
        msg = f"idr:{base.setting}: there is no {os.path.relpath(wanted)}: name the packages in it, one a line"
        raise IdrError(msg)
    if not any(line.partition("#")[0].strip() for line in wanted.read_text().splitlines()):
        msg = f"idr:{base.setting}: {os.path.relpath(wanted)} names no package: write one a line, as in name==1.0"
        raise IdrError(msg)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, lock.name)
        # Constraints: the program's own versions. The comments in uv's output name this file.
        own = Path(folder, base.lock.parent.name, base.lock.name)
        own.parent.mkdir()
        own.write_text(base.without(base.replaced(wanted.read_text())))
        if lock.is_file():
            copy.write_text(lock.read_text())
        command = [sys.executable, "-m", "uv", "pip", "compile", *OPTIONS]
        # This Python, because uv would search the machine for one of that version.
        command += ["--python", sys.executable, "--python-version", UBUNTU.python]
        command += ["--python-platform", PLATFORM, "-c", str(own), *(["--upgrade"] if renew else [])]
        command += [wanted.name, "-o", str(copy)]
        # The command that makes the file, for its first comment.
        environment = os.environ | {"UV_CUSTOM_COMPILE_COMMAND": "bin/idr pin"}
        done = subprocess.run(command, cwd=wanted.parent, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            own_stay = f" {base.name}'s own packages keep their versions." if "No solution" in done.stderr else ""
            msg = f"idr:{base.setting}: {wanted.name}: {_reason(done.stderr)}{own_stay} Nothing was written"
            raise IdrError(msg)
        # No paths of this machine.
        return copy.read_text().replace(f"{folder}/", "")


def _reason(output: str) -> str:
    """The message of uv on one line."""
    lines = (line.strip().removeprefix("error: ").removeprefix("cause: ") for line in output.splitlines())
    return " ".join(filter(None, lines)) or "uv gave no reason."
