"""Storage of other kinds at the same paths: a volume, a folder, a tree of links (tests/soak/shares.py)."""

import pytest

from tests.soak.shares import BROUGHT, ERROR_SECONDS, READONLY, READWRITE, TREE, VOLUME, SharingNodes, until

pytestmark = pytest.mark.cloud

# These tests run in this order on the same machines.


def test_a_volume_is_read_at_the_same_path_on_both_and_is_not_the_root_disk(nodes: SharingNodes) -> None:
    nodes.output_of(READWRITE, f"mountpoint {VOLUME['mount']} && echo volume | sudo tee {VOLUME['mount']}/image")
    assert nodes.output_of(READONLY, f"cat {VOLUME['mount']}/image") == "volume"
    assert nodes.on(READONLY, f"sudo touch {VOLUME['mount']}/other").returncode != 0


def test_a_volume_that_is_not_mounted_is_a_failure_that_names_it(nodes: SharingNodes) -> None:
    mount, health = VOLUME["mount"], "sudo /usr/local/lib/idr/local-storage/health"
    # While the kernel serves a share, its file system is busy.
    nodes.output_of(READWRITE, f"sudo systemctl stop nfs-server && sudo umount {mount}")
    done = nodes.on(READWRITE, health)
    nodes.output_of(READWRITE, "sudo systemctl start nfs-server")
    away = nodes.on(READONLY, f"timeout {ERROR_SECONDS} ls {mount}/image")
    nodes.output_of(READWRITE, f"sudo mount {mount} && sudo exportfs -ra")
    assert done.returncode == 1
    assert f"{mount}: its volume is not mounted" in done.stdout.decode()
    assert away.returncode == 2, "an error, not the time-out's 124"
    until(lambda: nodes.on(READONLY, f"cat {mount}/image").stdout == b"volume\n", ERROR_SECONDS)


def test_links_lead_to_every_kind(nodes: SharingNodes) -> None:
    for link, text in {"idr0001": "raw", "old/idr0002": "raw", "idr0003": "brought"}.items():
        assert nodes.output_of(READONLY, f"sudo runuser -u omero-server -- cat {TREE}/{link}/image") == text


def test_a_folder_that_is_gone_makes_the_node_unhealthy_and_is_named(nodes: SharingNodes) -> None:
    health = "sudo /usr/local/lib/idr/local-storage/health"
    assert nodes.on(READONLY, health).returncode == 0
    nodes.output_of(READONLY, f"sudo mv {BROUGHT} {BROUGHT}.away && sudo mkdir {BROUGHT}")
    done = nodes.on(READONLY, health)
    nodes.output_of(READONLY, f"sudo rmdir {BROUGHT} && sudo mv {BROUGHT}.away {BROUGHT}")
    assert done.returncode == 1
    assert f"{BROUGHT}: is empty" in done.stdout.decode()
