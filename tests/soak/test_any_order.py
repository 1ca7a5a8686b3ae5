"""Unit tests pass in any order: workers share them out by time, so each run has another one."""

import subprocess
import sys

import pytest

from harness.stacks import ROOT


@pytest.mark.parametrize("seed", [1, 2])
def test_no_unit_test_needs_an_earlier_one_or_suffers_from_it(seed: int) -> None:
    # In one process: what a test leaves behind reaches all later ones.
    order = ["--random-order", "--random-order-bucket=module", f"--random-order-seed={seed}"]
    command = [sys.executable, "-m", "pytest", "--quiet", "-p", "no:cacheprovider", *order, "tests/unit"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:]
