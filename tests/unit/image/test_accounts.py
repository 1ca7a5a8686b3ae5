"""The numbers of a guest's accounts: no account of the machine has them, whatever program creates the accounts."""

import subprocess
from pathlib import Path

from harness.stacks import ROOT

IMAGE = ROOT / "dev" / "image"
DEBIAN = """# Min/max values for automatic uid selection in useradd(8)
UID_MIN\t\t\t 1000
UID_MAX\t\t\t60000
#SYS_UID_MIN\t\t  101
SUB_UID_MIN\t\t   100000
GID_MIN\t\t\t 1000
GID_MAX\t\t\t60000
"""


def test_a_guests_accounts_have_numbers_that_the_machines_have_not(tmp_path: Path) -> None:
    file = tmp_path / "etc" / "login.defs"
    file.parent.mkdir()
    file.write_text(DEBIAN)
    subprocess.run([IMAGE / "accounts.sh", tmp_path], check=True)
    accounts = dict(line.split() for line in file.read_text().splitlines() if not line.startswith("#"))
    numbers = {name: int(number) for name, number in accounts.items()}
    # Above people's; below those that systemd gives to services and to containers.
    assert 60000 < numbers["UID_MIN"] < numbers["UID_MAX"] < 61184
    assert (numbers["GID_MIN"], numbers["GID_MAX"]) == (numbers["UID_MIN"], numbers["UID_MAX"])
    assert (numbers["SYS_UID_MAX"], numbers["SYS_GID_MAX"], numbers["SUB_UID_MIN"]) == (999, 999, 100000)


def test_the_image_is_built_with_them() -> None:
    assert '/accounts.sh" "$root"' in (IMAGE / "customize.sh").read_text()
