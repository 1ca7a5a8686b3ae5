"""The built plugins' own tests, on machines with Go."""

import os
import shutil
import subprocess

import pytest

from harness.stacks import ROOT

pytestmark = pytest.mark.engine


@pytest.mark.skipif(shutil.which("go") is None, reason="an installed pulumi needs no Go")
def test_the_plugins_own_tests_pass() -> None:
    done = subprocess.run(
        ["go", "test", "./internal/..."],
        cwd=ROOT / "dev" / "toolchain",
        env={**os.environ, "CGO_ENABLED": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
