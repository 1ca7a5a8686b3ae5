"""NFS versions 3 and 4, and reboots of either side (tests/soak/shares.py)."""

import re
import time

import pytest

from model.firewall import NFS_PORT
from tests.soak.shares import (
    ALERT_SECONDS,
    BOOT_SECONDS,
    ERROR_SECONDS,
    MOUNTED,
    RAW,
    RAW_BY_VERSION_3,
    RAW_MOUNTED,
    READONLY,
    READWRITE,
    SERVICES,
    SHARED,
    VOLUME,
    SharingNodes,
    has_metric,
    until,
)

pytestmark = pytest.mark.cloud

# These tests run in this order on the same machines.


def test_the_read_only_node_mounts_the_data_automounted_and_read_only(nodes: SharingNodes) -> None:
    nodes.output_of(READONLY, f"ls {MOUNTED}")
    lines = nodes.output_of(READONLY, "findmnt -rn -o FSTYPE,SOURCE,OPTIONS /data/OMERO-readonly").splitlines()
    kinds = [line.split()[0] for line in lines]
    assert kinds == ["autofs", "nfs4"]
    source, options = lines[1].split()[1:]
    assert source == f"{nodes.address(READWRITE)}:/data/OMERO"
    assert "ro" in options.split(",")
    assert "vers=4.2" in options.split(",")


def test_it_is_shared_with_the_read_only_node_alone(nodes: SharingNodes) -> None:
    shares = nodes.output_of(READWRITE, "sudo exportfs -s").splitlines()
    assert {tuple(line.split("(")[0].split()) for line in shares if not line.startswith(RAW)} == {
        ("/data/OMERO", nodes.address(READONLY)),
        ("/data/BioFormatsCache", nodes.address(READONLY)),
        (VOLUME["mount"], nodes.address(READONLY)),
    }
    rules = nodes.output_of(READWRITE, "sudo nft list chain inet idr input").splitlines()
    let_in = [line for line in rules if "2049" in line]
    assert [re.findall(r"saddr (\S+)", line) for line in let_in] == [[nodes.address(READONLY)]]
    ask = f"timeout 20 bash -c '</dev/tcp/{nodes.address(READWRITE)}/{NFS_PORT}'"
    assert nodes.on(READONLY, ask).returncode == 0
    assert nodes.on(SERVICES, ask).returncode != 0


def test_what_is_written_on_one_side_is_read_on_the_same_path_on_the_other(nodes: SharingNodes) -> None:
    nodes.output_of(READWRITE, f"sudo runuser -u omero-server -- tee {SHARED}/file", b"written")
    assert nodes.output_of(READONLY, f"sudo runuser -u omero-server -- cat {SHARED}/file") == "written"


def test_the_read_only_side_can_change_nothing(nodes: SharingNodes) -> None:
    refused = nodes.on(READONLY, f"sudo runuser -u omero-server -- touch {SHARED}/other")
    assert refused.returncode != 0
    assert b"Read-only file system" in refused.stderr
    # Nor where its own mount would let it: the share itself is read-only.
    writable = f"mount -t nfs -o rw,vers=4.2 {nodes.address(READWRITE)}:/data/OMERO /mnt && touch /mnt/other"
    assert nodes.on(READONLY, f"sudo unshare --mount sh -c '{writable}'").returncode != 0
    assert "other" not in nodes.output_of(READWRITE, f"ls /data/OMERO {SHARED}")


def test_the_bio_formats_cache_is_written_by_both(nodes: SharingNodes) -> None:
    nodes.output_of(READONLY, "sudo runuser -u omero-server -- tee /data/BioFormatsCache/memo", b"cached")
    assert nodes.output_of(READWRITE, "sudo cat /data/BioFormatsCache/memo") == "cached"


def test_raw_images_are_mounted_where_the_settings_say(nodes: SharingNodes) -> None:
    assert nodes.output_of(READONLY, f"cat {RAW_MOUNTED}/image") == "raw"
    assert nodes.on(READONLY, f"sudo touch {RAW_MOUNTED}/other").returncode != 0


def test_version_3_is_mounted_beside_version_4(nodes: SharingNodes) -> None:
    assert nodes.output_of(READONLY, f"cat {RAW_BY_VERSION_3}/image") == "raw"
    kinds = nodes.output_of(READONLY, f"findmnt -rn -o FSTYPE,OPTIONS {RAW_BY_VERSION_3}").splitlines()
    assert [line.split()[0] for line in kinds] == ["autofs", "nfs"]
    assert "vers=3" in kinds[1].split()[1].split(",")


def test_the_read_only_node_boots_and_works_while_the_other_is_down(nodes: SharingNodes) -> None:
    before = nodes.output_of(READONLY, "cat /proc/sys/kernel/random/boot_id")
    nodes.power(READWRITE, on=False)
    nodes.on(READONLY, "sudo systemctl reboot")
    nodes.until_up(READONLY, before)
    nodes.output_of(READONLY, "df -l && ls /data && sudo touch /data/OMERO/own && mount | grep -q /data/OMERO-readonly")
    # A process that uses the share gets an error, and does not hang.
    start = time.monotonic()
    assert nodes.on(READONLY, f"cat {SHARED}/file").returncode != 0
    assert time.monotonic() - start < ERROR_SECONDS
    until(lambda: has_metric(nodes, 'idr_role_healthy{role="nfs"} 0'), ALERT_SECONDS)
    assert has_metric(nodes, 'idr_role_healthy{role="common"} 1'), "the mount that is away holds up another role"
    log = nodes.output_of(READONLY, "sudo journalctl --quiet --no-pager --output=cat --unit=idr-heal")
    assert "role nfs is not healthy: " in log


def test_it_comes_back_by_itself(nodes: SharingNodes) -> None:
    nodes.power(READWRITE, on=True)
    until(lambda: nodes.on(READONLY, f"sudo cat {SHARED}/file").stdout == b"written", BOOT_SECONDS)
    until(lambda: has_metric(nodes, 'idr_role_healthy{role="nfs"} 1'), ALERT_SECONDS)


def test_the_read_write_node_reboots_while_the_other_has_it_mounted(nodes: SharingNodes) -> None:
    nodes.output_of(READWRITE, f"echo volume | sudo tee {VOLUME['mount']}/image")
    nodes.output_of(READONLY, f"ls {SHARED} {VOLUME['mount']}")
    nodes.reboot(READWRITE)
    until(lambda: nodes.on(READONLY, f"sudo cat {SHARED}/file").stdout == b"written", BOOT_SECONDS)
    assert nodes.output_of(READWRITE, f"cat {VOLUME['mount']}/image") == "volume"
    until(lambda: nodes.on(READONLY, f"cat {VOLUME['mount']}/image").stdout == b"volume\n", ERROR_SECONDS)
    nodes.output_of(READWRITE, "sudo /usr/local/lib/idr/local-storage/health")


def test_the_read_write_node_works_while_the_other_reboots(nodes: SharingNodes) -> None:
    before = nodes.output_of(READONLY, "cat /proc/sys/kernel/random/boot_id")
    nodes.on(READONLY, "sudo systemctl reboot")
    nodes.output_of(READWRITE, f"sudo runuser -u omero-server -- tee {SHARED}/meanwhile", b"written too")
    nodes.until_up(READONLY, before)
    assert nodes.output_of(READONLY, f"sudo cat {SHARED}/meanwhile") == "written too"
