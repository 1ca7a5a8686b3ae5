"""`idr` installed by pip into a fresh environment, with its dependencies from the index; run in an empty folder."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from harness.stacks import ROOT
from tests.unit.idr.test_installed import OUTPUTS

WAYS = {
    "the newest that pyproject.toml allows": ["pip install ."],
    "as locked": ["pip install --no-deps --require-hashes -r requirements-idr.lock", "pip install --no-deps ."],
}


@pytest.mark.parametrize("way", WAYS)
def test_pip_installs_an_idr_that_reads_saved_outputs(way: str, tmp_path: Path) -> None:
    environment, empty = tmp_path / "environment", tmp_path / "empty"
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    for command in [*WAYS[way], "pip check"]:
        program, *arguments = command.split()
        subprocess.run([environment / "bin" / program, "--quiet", *arguments], cwd=ROOT, check=True)
    empty.mkdir()
    listing = [str(environment / "bin" / "idr"), "inventory", "--from", "-"]
    done = subprocess.run(listing, cwd=empty, input=json.dumps(OUTPUTS), capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == OUTPUTS["inventory"]
    assert (done.stderr, list(empty.iterdir())) == ("", [])
