"""OMERO.parade as in the guide: an application of OMERO.web that the program does not know, and its packages."""

import re
import subprocess
from pathlib import Path
from typing import Any

import yaml

from dev.image import wheels
from harness.stacks import ROOT
from idr import addons
from model.addons import WEB

GUIDE = ROOT / "docs" / "guide.md"


def of_guide() -> dict[str, Any]:
    """Return the guide's example of `idr:web`."""
    (block,) = re.findall(r"```yaml\n(idr:web:\n  requirements:.*?)```", GUIDE.read_text(), re.DOTALL)
    read: dict[str, Any] = yaml.safe_load(block)["idr:web"]
    return read


def lock(folder: Path) -> Path:
    """Lock the guide's packages in site/web.lock of a checkout, as `idr pin` does."""
    (wanted,) = re.findall(r"```text\n(omero-parade==.*?)```", GUIDE.read_text(), re.DOTALL)
    file = folder / str(of_guide()["requirements"])
    file.parent.mkdir(exist_ok=True)
    file.with_suffix(".in").write_text(wanted)
    file.write_text(addons.resolved(WEB, file, renew=False))
    return file


def fetch(locked: Path, folder: Path) -> Path:
    """Download the packages that OMERO.web lacks into `folder`, by their hashes; return their list."""
    own = set(re.findall(r"^([a-z0-9.-]+)==", WEB.lock.read_text(), re.MULTILINE))
    added = [
        one
        for one in re.split(r"^(?=[a-z])", locked.read_text(), flags=re.MULTILINE)
        if one.partition("==")[0] not in own
    ]
    file = folder / "added.lock"
    file.write_text("".join(one for one in added if "==" in one.partition("\n")[0]))
    command = [str(wheels.PYTHON), "-m", "pip", "download", "-q", "--no-deps", "--require-hashes"]
    subprocess.run([*command, "-d", str(folder), "-r", str(file)], check=True)
    return file
