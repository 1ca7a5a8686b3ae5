"""The program as it was deployed before, from this repository's history, to be updated to the present one."""

import shutil
import subprocess
import tarfile
from io import BytesIO
from pathlib import Path
from typing import Any

import yaml

from harness.project import PROGRAM
from harness.stacks import ROOT

COMMIT = "bdf65b2"
"""What is deployed today."""
LOCAL = "dev/local/Pulumi.local.yaml"


def put_program(folder: Path, commit: str | None = None) -> None:
    """Replace the program in a project's folder by a commit's, or by the present one; stack files and state stay."""
    for name in PROGRAM:
        target = folder / name
        if target.is_dir():
            shutil.rmtree(target)
        else:
            target.unlink(missing_ok=True)
        if commit is None:
            (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, target)
    if commit:
        with tarfile.open(fileobj=BytesIO(_archive(commit))) as archive:
            archive.extractall(folder, filter="data")


def settings_of_local() -> dict[str, Any]:
    """Return the settings of the stack `local` at that commit; None for a key that it did not have."""
    then, now = (_settings(_committed(LOCAL)), _settings((ROOT / LOCAL).read_text()))
    return {key: then.get(key) for key in now.keys() | then.keys()}


def _settings(text: str) -> dict[str, Any]:
    return {key: value for key, value in yaml.safe_load(text)["config"].items() if key.startswith("idr:")}


def _committed(path: str) -> str:
    return subprocess.run(
        ["git", "show", f"{COMMIT}:{path}"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout


def _archive(commit: str) -> bytes:
    done = subprocess.run(["git", "archive", commit, *PROGRAM], cwd=ROOT, capture_output=True, check=False)
    # A shallow clone has no history: `git fetch --unshallow` gets it.
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout
