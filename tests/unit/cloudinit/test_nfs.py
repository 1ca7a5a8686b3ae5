"""The mounts of a node from other servers: its lines in fstab, by the real script."""

import os
import subprocess
from pathlib import Path

import pytest

from model.role_description import FOLDER

SCRIPT = FOLDER / "nfs" / "scripts" / "prepare"
DISK = "/dev/vda1 / ext4 defaults 0 1\n"
USUAL = "soft,timeo=50,retrans=3,nofail,_netdev,x-systemd.automount,x-systemd.mount-timeout=15"
STUBS = ("systemctl", "systemd-escape", "umount", "modprobe")


class Node:
    """A folder instead of a node."""

    def __init__(self, folder: Path) -> None:
        self.fstab, self.mounts, self._folder = folder / "fstab", folder / "mounts", folder
        self.fstab.write_text(DISK)
        self.fstab.chmod(0o644)
        for name in STUBS:
            (folder / name).write_text("#!/bin/sh\nexit 0\n")
            (folder / name).chmod(0o755)

    def prepare(self, options: str, *, path: str = "") -> "subprocess.CompletedProcess[str]":
        """Run the step for one share with these options."""
        self.mounts.write_text(f"# Source, mount point, options.\nnfs:/idr {self._folder}/idr {options}\n")
        own = {
            "MOUNTS": str(self.mounts),
            "FSTAB": str(self.fstab),
            "PATH": f"{path}{self._folder}:{os.environ['PATH']}",
        }
        return subprocess.run([SCRIPT], env={**os.environ, **own}, capture_output=True, text=True, check=False)

    def options(self) -> str:
        """Return the options of the share in fstab."""
        (line,) = (line for line in self.fstab.read_text().splitlines() if line.startswith("nfs:"))
        return line.split()[3]


@pytest.fixture
def node(tmp_path: Path) -> Node:
    return Node(tmp_path)


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ("ro", f"ro,{USUAL}"),
        ("ro,soft", f"ro,soft,{USUAL}"),
        ("ro,timeo=14", f"ro,timeo=14,{USUAL.replace('timeo=50,', '')}"),
        ("ro,retrans=5,vers=4.2", f"ro,retrans=5,vers=4.2,{USUAL.replace('retrans=3,', '')}"),
    ],
)
def test_a_shares_own_options_count(node: Node, own: str, expected: str) -> None:
    assert node.prepare(own).returncode == 0
    assert node.options() == expected


def test_fstab_keeps_the_machines_lines_and_its_mode(node: Node) -> None:
    node.prepare("ro")
    node.prepare("ro,vers=4.2")
    assert node.fstab.read_text().startswith(DISK)
    assert node.fstab.read_text().count("nfs:/idr") == 1
    assert node.fstab.stat().st_mode & 0o777 == 0o644
    assert [file.name for file in node.fstab.parent.glob("fstab*")] == ["fstab"]


def test_fstab_is_left_alone_where_it_cannot_be_read_whole(node: Node, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "grep").write_text('#!/bin/sh\ncase "$*" in "-v # idr-nfs"*) exit 2 ;; esac\nexec /bin/grep "$@"\n')
    (broken / "grep").chmod(0o755)
    assert node.prepare("ro", path=f"{broken}:").returncode != 0
    assert node.fstab.read_text() == DISK
    assert [file.name for file in node.fstab.parent.glob("fstab*")] == ["fstab"]


def test_health_names_the_share_that_does_not_answer(tmp_path: Path) -> None:
    mounts, there = tmp_path / "mounts", tmp_path / "there"
    there.mkdir()
    script = SCRIPT.with_name("health").read_text().replace("/usr/local/lib/idr/nfs/mounts", str(mounts))

    def health(*lines: str) -> tuple[int, str]:
        mounts.write_text("\n".join(("# Source, mount point, options.", *lines, "")))
        done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout

    assert health(f"nfs:/a {there} ro") == (0, "")
    gone = f"nfs:/b {tmp_path}/gone ro"
    assert health(f"nfs:/a {there} ro", gone) == (1, f"{tmp_path}/gone: nfs:/b does not answer\n")
