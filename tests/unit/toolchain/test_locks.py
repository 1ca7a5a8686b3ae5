"""The content of lock files, and how they are installed."""

import re
import subprocess

import pytest

from dev import lock_files
from tests.unit.toolchain.test_install import CHECKOUT

OURS = "tests/unit/toolchain/test_locks.py"
LOCKED = re.compile(r"[a-z0-9]\S*==\S+ .*--hash=sha256:[0-9a-f]{64}")


def test_pip_installs_what_a_lock_file_names_and_resolves_nothing() -> None:
    """With dependencies, pip asks the index for the newest `coverage[toml]`, which has no sum in the lock file.

    `make` failed like that the day after coverage 7.17.5: a lock file names `coverage`, without the extra.
    """
    command = ["git", "grep", "-l", "-e", "--require-hashes", "--", "."]
    files = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=True).stdout.split()
    installers = [name for name in files if name != OURS]
    assert "Makefile" in installers
    assert [name for name in installers if "--no-deps" not in (CHECKOUT / name).read_text()] == []


@pytest.mark.parametrize("name", lock_files.LOCKS)
def test_a_lock_file_has_a_sum_for_each_package_and_names_no_index(name: str) -> None:
    lines = (CHECKOUT / name).read_text().replace("\\\n", "").splitlines()
    written = [line for line in lines if line and not line.lstrip().startswith("#")]
    assert written
    assert [line for line in written if not LOCKED.match(line)] == []
