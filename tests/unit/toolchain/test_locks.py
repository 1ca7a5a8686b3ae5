"""How lock files are installed."""

import subprocess

from tests.unit.toolchain.test_install import CHECKOUT

OURS = "tests/unit/toolchain/test_locks.py"


def test_pip_installs_what_a_lock_file_names_and_resolves_nothing() -> None:
    """With dependencies, pip asks the index for the newest `coverage[toml]`, which has no sum in the lock file.

    `make` ended with that the day after coverage 7.17.5 came out: a lock file names `coverage`, without the extra.
    """
    command = ["git", "grep", "-l", "-e", "--require-hashes", "--", "."]
    files = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=True).stdout.split()
    installers = [name for name in files if name != OURS]
    assert "Makefile" in installers
    assert [name for name in installers if "--no-deps" not in (CHECKOUT / name).read_text()] == []
