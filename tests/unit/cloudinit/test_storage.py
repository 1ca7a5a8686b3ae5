"""Data volumes keep their data; only a blank one gets a file system. Image files replace devices."""

import errno
import os
import subprocess
from pathlib import Path

import pytest

from harness import stacks

SCRIPT = stacks.ROOT / "cloudinit" / "common" / "scripts" / "storage"
SIZE = 320 << 20  # the smallest size for mkfs.xfs is 300 MiB; the files are sparse
BLOCK = 1 << 16
TOOLS = ("blkid", "wipefs", "mkfs.xfs", "mkfs.ext4", "sfdisk")

pytestmark = pytest.mark.needs(*TOOLS)


@pytest.fixture
def device(tmp_path: Path) -> Path:
    """Make a blank disk."""
    path = tmp_path / "volume"
    with path.open("wb") as file:
        file.truncate(SIZE)
    return path


def run(command: str, *, text_input: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", f"set -euo pipefail; PATH=/usr/sbin:/sbin:$PATH; . {SCRIPT}; {command}"],
        input=text_input,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def filesystem_on(device: Path, origin: str = "new") -> subprocess.CompletedProcess[str]:
    return run(f"filesystem_on {device} {origin}")


def content(device: Path) -> dict[int, bytes]:
    """Return the blocks that are not all zeros, by their number. Most of the file is holes, which take long to read."""
    blocks: dict[int, bytes] = {}
    end = 0
    with device.open("rb") as file:
        while (start := _next_data(file.fileno(), end)) is not None:
            end = os.lseek(file.fileno(), start, os.SEEK_HOLE)
            for number in range(start // BLOCK, -(-end // BLOCK)):
                block = os.pread(file.fileno(), BLOCK, number * BLOCK)
                if block.strip(b"\0"):
                    blocks[number] = block
    return blocks


def _next_data(descriptor: int, position: int) -> int | None:
    try:
        return os.lseek(descriptor, position, os.SEEK_DATA)
    except OSError as error:
        if error.errno == errno.ENXIO:  # only holes follow
            return None
        raise


def test_a_blank_device_gets_xfs(device: Path) -> None:
    done = filesystem_on(device)
    assert (done.returncode, done.stdout) == (0, f"{device}\n"), done.stderr
    assert run(f"attribute {device} TYPE").stdout == "xfs\n"


def test_a_blank_device_that_should_hold_something_is_refused_and_untouched(device: Path) -> None:
    before = content(device)
    done = filesystem_on(device, "kept")
    assert (done.returncode, done.stdout) == (1, "")
    assert "although it is an existing volume or a copy: not formatted" in done.stderr
    assert content(device) == before


@pytest.mark.parametrize("origin", ["new", "kept"])
@pytest.mark.parametrize("make", ["mkfs.xfs -q", "mkfs.ext4 -q"])
def test_a_filesystem_is_taken_as_it_is(device: Path, make: str, origin: str) -> None:
    assert run(f"{make} {device}").returncode == 0
    before = content(device)
    done = filesystem_on(device, origin)
    assert done.stdout == f"{device}\n", done.stderr
    assert content(device) == before


def test_the_one_partition_with_a_filesystem_is_taken(device: Path) -> None:
    assert run(f"sfdisk -q {device}", text_input="label: dos\n,310M\n").returncode == 0
    # The kernel names a partition of a disk; for a file, another file replaces it.
    partition = device.with_name(f"{device.name}-part1")
    with partition.open("wb") as file:
        file.truncate(SIZE)
    assert run(f"mkfs.xfs -q {partition}").returncode == 0
    assert filesystem_on(device).stdout == f"{partition}\n"


@pytest.mark.parametrize("offset", [4096 * 100, SIZE - 512])
def test_unknown_data_at_either_end_is_refused_and_untouched(device: Path, offset: int) -> None:
    with device.open("r+b") as file:
        file.seek(offset)
        file.write(b"precious")
    before = content(device)
    done = filesystem_on(device)
    assert done.returncode != 0
    assert "neither a filesystem nor a partition table: not touched" in done.stderr
    assert content(device) == before


def test_an_empty_partition_table_is_refused(device: Path) -> None:
    assert run(f"sfdisk -q {device}", text_input="label: gpt\n").returncode == 0
    done = filesystem_on(device)
    assert done.returncode != 0
    assert "0 of its partitions carry a filesystem" in done.stderr


def test_swap_is_refused_by_its_name(device: Path) -> None:
    assert run(f"mkswap {device}").returncode == 0
    done = filesystem_on(device)
    assert done.returncode != 0
    assert "holds swap, which is no filesystem" in done.stderr


NOTED = "noatime,nofail,x-systemd.before=nfs-server.service"
PLAYED = "systemctl() { :; }; whole() { echo $1; }; findmnt() { echo rw,OPTIONS; }; mount() { exit 9; }"


@pytest.mark.parametrize(
    ("now", "expected"),
    [("noatime", f"{NOTED},x-idr.volume"), ("nouuid", f"nouuid,{NOTED},x-idr.volume")],
)
def test_a_mount_that_a_killed_run_did_not_note_is_noted(device: Path, tmp_path: Path, now: str, expected: str) -> None:
    """Without its line the volume would be missing after the next boot, and no later run would repair that."""
    assert run(f"mkfs.xfs -q {device}").returncode == 0
    fstab, others = tmp_path / "fstab", "/dev/vda1 / ext4 defaults 0 1\nnfs:/x /old2 nfs ro 0 0\n"
    fstab.write_text(others)
    fstab.chmod(0o644)
    played = f"{PLAYED.replace('OPTIONS', now)}; device_of() {{ echo {device}; }}; mounted_from() {{ echo {device}; }}"
    for _ in range(2):
        done = run(f"FSTAB={fstab}; {played}; mount_volume an-id /data new")
        assert done.returncode == 0, done.stderr
        assert fstab.read_text() == f"{others}{device} /data xfs {expected} 0 0\n"
    assert fstab.stat().st_mode & 0o777 == 0o644
    assert [file.name for file in tmp_path.glob("fstab*")] == ["fstab"]


def test_another_volume_instead_is_refused_and_not_noted(device: Path, tmp_path: Path) -> None:
    fstab = tmp_path / "fstab"
    fstab.write_text("")
    played = f"{PLAYED}; device_of() {{ echo {device}; }}; mounted_from() {{ echo /dev/other; }}"
    done = run(f"FSTAB={fstab}; {played}; mount_volume an-id /data new")
    assert done.returncode == 1
    assert "is mounted from /dev/other, which is not volume an-id" in done.stderr
    assert fstab.read_text() == ""


def test_only_our_own_lines_of_volumes_that_are_gone_leave_fstab(tmp_path: Path) -> None:
    fstab, listed = tmp_path / "fstab", tmp_path / "volumes"
    mine, gone, other = (
        "/dev/disk/by-id/virtio-1 /data xfs noatime,nofail,x-idr.volume 0 0\n",
        "/dev/disk/by-id/virtio-2 /old xfs noatime,nofail,x-idr.volume 0 0\n",
        "nfs:/x /old2 nfs ro 0 0\n",
    )
    fstab.write_text(mine + gone + other)
    listed.write_text("# volumes\n1 /data 10\n")
    assert run(f"FSTAB={fstab}; forget_others {listed}").returncode == 0
    assert fstab.read_text() == mine + other


def test_a_mount_point_is_closed_until_no_volume_belongs_there(device: Path, tmp_path: Path) -> None:
    """A process that uses the empty folder would write to the root disk."""
    assert run(f"mkfs.xfs -q {device}").returncode == 0
    fstab, listed, mount, existing = (tmp_path / name for name in ("fstab", "volumes", "new/data", "existing"))
    fstab.write_text("")
    existing.mkdir(0o755)
    played = f"{PLAYED}; device_of() {{ echo {device}; }}; mounted_from() {{ return 1; }}; mount() {{ :; }}"
    for path, mode in ((mount, 0), (existing, 0o755)):
        assert run(f"FSTAB={fstab}; {played}; mount_volume an-id {path} new").returncode == 0
        assert path.stat().st_mode & 0o777 == mode
    assert mount.parent.stat().st_mode & 0o777 == 0o755
    listed.write_text("")
    assert run(f"FSTAB={fstab}; forget_others {listed}").returncode == 0
    assert mount.stat().st_mode & 0o777 == 0o755
