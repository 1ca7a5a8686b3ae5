"""A data volume is identified by its whole id under every hypervisor's name; no other disk can be mistaken for it."""

import subprocess
from pathlib import Path

import pytest

from harness import stacks
from model.disks import SERIAL_LENGTH, virtio_link

SCRIPT = stacks.ROOT / "cloudinit" / "common" / "scripts" / "storage"
ID = "98f28d97-f961-45a9-87a8-fa7167d4fc0f"
DIGITS = ID.replace("-", "")
ALIKE = f"{ID[:20]}000-000000000000"
"""The id of another volume, which begins in the same way."""
LINKS = {
    "virtio-blk": f"virtio-{ID[:20]}",
    "virtio-blk, whole": f"virtio-{ID}",
    "virtio-scsi": f"scsi-0QEMU_QEMU_HARDDISK_{ID}",
    "virtio-scsi, by its serial": f"scsi-SQEMU_QEMU_HARDDISK_{ID}",
    "virtio-scsi of an older QEMU": f"scsi-0QEMU_QEMU_HARDDISK_{ID[:20]}",
    "ATA": f"ata-QEMU_HARDDISK_{ID[:20]}",
    "NVMe": f"nvme-QEMU_NVMe_Ctrl_{ID[:20]}",
    "NVMe with its namespace": f"nvme-QEMU_NVMe_Ctrl_{ID[:20]}_1",
    "NVMe with the whole id": f"nvme-Cinder_{ID}",
    "ESXi": f"wwn-0x{DIGITS}",
    "ESXi, by SCSI": f"scsi-3{DIGITS}",
}
OTHERS = {
    "a partition": f"virtio-{ID[:20]}-part1",
    "an id that begins alike": f"scsi-0QEMU_QEMU_HARDDISK_{ALIKE}",
    "an id that ends alike": f"scsi-0QEMU_QEMU_HARDDISK_0{ID}",
    "a serial that ends alike": f"virtio-0{ID[:20]}",
    "digits that end alike": f"wwn-0x0{DIGITS}",
    "digits that begin alike": f"wwn-0x{DIGITS}0",
}


def run(command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", f"set -euo pipefail; . {SCRIPT}; {command}"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture
def links(tmp_path: Path) -> Path:
    """Make a folder instead of /dev/disk/by-id, with the disk of another volume in it."""
    folder = tmp_path / "by-id"
    folder.mkdir()
    (tmp_path / "vdz").touch()
    for name in ("virtio-11111111-1111-1111-1", "scsi-0QEMU_QEMU_HARDDISK_11111111-1111-1111-1111-111111111111"):
        (folder / name).symlink_to(tmp_path / "vdz")
    return folder


def link(folder: Path, name: str, disk: str = "vdb") -> Path:
    device = folder.parent / disk
    device.touch()
    path = folder / name
    path.symlink_to(device)
    return path


def device_of(folder: Path) -> subprocess.CompletedProcess[str]:
    return run(f"BY_ID={folder}; WAIT_SECONDS=1; device_of {ID}")


@pytest.mark.parametrize("kind", LINKS)
def test_a_volume_is_found_whatever_the_hypervisor_calls_it(links: Path, kind: str) -> None:
    link_path = link(links, LINKS[kind])
    link(links, f"{LINKS[kind]}-part1", "vdb1")
    done = device_of(links)
    assert (done.returncode, done.stdout) == (0, f"{link_path}\n"), done.stderr


@pytest.mark.parametrize("kind", OTHERS)
def test_another_volume_is_never_taken_for_it(links: Path, kind: str) -> None:
    link(links, OTHERS[kind])
    done = device_of(links)
    assert done.returncode != 0
    assert f"volume {ID} did not appear under {links} within 1 s" in done.stderr


def test_several_links_of_one_disk_are_one(links: Path) -> None:
    whole = link(links, LINKS["virtio-scsi"])
    (links / LINKS["virtio-blk"]).symlink_to(whole.resolve())
    assert device_of(links).stdout == f"{whole}\n"


def test_two_disks_that_could_be_it_are_refused(links: Path) -> None:
    link(links, LINKS["virtio-blk"])
    link(links, LINKS["ATA"], "vdc")
    done = device_of(links)
    assert (done.returncode, done.stdout) == (1, "")
    assert "could be any of" in done.stderr
    assert "not touched" in done.stderr


def test_a_volume_that_is_not_attached_is_named() -> None:
    done = run(f"WAIT_SECONDS=1; device_of {ID}")
    assert done.returncode != 0
    assert f"volume {ID} did not appear under /dev/disk/by-id within 1 s" in done.stderr


def test_the_outputs_name_the_disk_as_virtio_does() -> None:
    assert virtio_link(ID) == f"/dev/disk/by-id/{LINKS['virtio-blk']}"


def test_the_local_cloud_names_disks_as_virtio_does() -> None:
    driver = stacks.ROOT / "dev" / "cloud" / "plugins" / "idr_openstack" / "nova_container.py"
    # It runs in the cloud's own environment and cannot import the model.
    assert f"dev/disk/by-id/virtio-{{volume[:{SERIAL_LENGTH}]}}" in driver.read_text()
