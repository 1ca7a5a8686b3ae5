"""A server of NFS 3 and 4 that is slow, that cannot read a file, or whose disk hangs (tests/soak/shares.py)."""

import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from harness.cloud.service import Service
from tests.soak import shares
from tests.soak.shares import (
    ALERT_SECONDS,
    BROUGHT,
    ERROR_SECONDS,
    RAW,
    RAW_BY_VERSION_3,
    RAW_MOUNTED,
    READONLY,
    READWRITE,
    SharingNodes,
    has_metric,
    until,
)

pytestmark = pytest.mark.cloud

READERS = {"on the server": (READWRITE, RAW), "4": (READONLY, RAW_MOUNTED), "3": (READONLY, RAW_BY_VERSION_3)}
"""Readers of the raw images: the node that has the disk, and the other node by each version of NFS."""
LARGE_MIB, RATE_MBIT, DELAY_MS = 4, 2, 300
SLOW_SECONDS = 300
"""The longest time for two large files at that rate, which is 34 s at best."""
HEALTH_SECONDS = 150
"""The time-out of `idr-heal` for a role's test."""
WEAK_DISK = f"""
mkdir -p {RAW}
truncate -s 64M /var/raw.disk
modprobe -a loop dm_mod
device=$(losetup --find --show /var/raw.disk)
echo "0 $(blockdev --getsz $device) linear $device 0" | dmsetup create raw
mkfs.ext4 -q /dev/mapper/raw
mount -o noatime /dev/mapper/raw {RAW}
for name in bad good hanging-3 hanging-4; do head -c 256K /dev/urandom > {RAW}/$name; done
for name in quick-3 quick-4 slow-3 slow-4; do head -c {LARGE_MIB}M /dev/urandom > {RAW}/$name; done
chmod -R a+rX {RAW}
"""
BAD = f"""
set -- $(filefrag -b512 -e {RAW}/bad | tr -d .: | awk '$1 == "0" {{ print $4, $6 }}')
size=$(blockdev --getsz /dev/mapper/raw) device=$(losetup -n -O NAME -j /var/raw.disk)
dmsetup load raw << TABLE
0 $1 linear $device 0
$1 $2 error
$(($1 + $2)) $((size - $1 - $2)) linear $device $(($1 + $2))
TABLE
"""
"""The blocks of a file on the disk give errors."""
WELL = """
device=$(losetup -n -O NAME -j /var/raw.disk)
dmsetup load raw --table "0 $(blockdev --getsz /dev/mapper/raw) linear $device 0"
"""
SWITCH = "dmsetup suspend --nolockfs raw && dmsetup resume raw"
FORGET = "sync && echo 3 > /proc/sys/vm/drop_caches"
"""Data that were read or written are read from the disk again."""


def as_root(nodes: SharingNodes, script: str) -> str:
    """Run a script on the server, which must succeed."""
    return nodes.output_of(READWRITE, "sudo bash -e", script.encode())


def equip(nodes: SharingNodes) -> None:
    """Put the raw images on a disk of their own, whose faults the test controls."""
    as_root(nodes, WEAK_DISK)
    shares.equip(nodes)


@pytest.fixture(scope="module")
def nodes(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SharingNodes]:
    """Start the release with a site's server whose faults the test controls."""
    assert service.outputs
    with shares.running(tmp_path_factory.mktemp("nfs"), equip) as nodes:
        yield nodes


@contextmanager
def slowed(nodes: SharingNodes) -> Iterator[None]:
    """Delay and slow down everything that the server sends."""
    device = nodes.output_of(READWRITE, f"ip -o route get {nodes.address(READONLY)} | grep -oP 'dev \\K\\S+'")
    as_root(nodes, f"tc qdisc add dev {device} root netem delay {DELAY_MS}ms rate {RATE_MBIT}mbit")
    try:
        yield
    finally:
        as_root(nodes, f"tc qdisc del dev {device} root")


@contextmanager
def broken(nodes: SharingNodes, begin: str, end: str) -> Iterator[None]:
    """Make the server's disk fail."""
    as_root(nodes, f"{FORGET}\n{begin}")
    try:
        yield
    finally:
        as_root(nodes, end)


def read(
    nodes: SharingNodes, reader: str, name: str, seconds: int
) -> "tuple[subprocess.CompletedProcess[bytes], float]":
    """Read a file as OMERO.server does; return its sum, and the time that it took."""
    node, folder = READERS[reader]
    start = time.monotonic()
    done = nodes.on(node, f"sudo runuser -u omero-server -- timeout {seconds} sha256sum {folder}/{name}")
    return done, time.monotonic() - start


def right(nodes: SharingNodes, done: "subprocess.CompletedProcess[bytes]", name: str) -> bool:
    """Return whether the file was read as the server has it."""
    return done.stdout.split()[:1] == as_root(nodes, f"sha256sum {RAW}/{name}").encode().split()[:1]


def unhealthy(nodes: SharingNodes) -> list[str]:
    """Return the output of the read-only node's failed tests of its storage; each of them must end."""
    roles = ("nfs", "local-storage")
    ask = "sudo timeout {} /usr/local/lib/idr/{}/health"
    tests = [nodes.on(READONLY, ask.format(HEALTH_SECONDS, role)) for role in roles]
    assert [done.returncode for done in tests if done.returncode not in (0, 1)] == [], "a test of health hangs"
    return [done.stdout.decode() for done in tests if done.returncode]


def test_a_slow_server_is_waited_for(nodes: SharingNodes, record_property: Callable[[str, object], None]) -> None:
    def both(speed: str) -> float:
        with ThreadPoolExecutor() as pool:
            reading = {
                version: pool.submit(read, nodes, version, f"{speed}-{version}", SLOW_SECONDS) for version in "34"
            }
            failed = unhealthy(nodes)
        results = {version: result.result() for version, result in reading.items()}
        for version, (done, seconds) in results.items():
            assert right(nodes, done, f"{speed}-{version}"), done.stderr.decode()
            record_property(f"seconds for {LARGE_MIB} MiB by NFS {version} from a {speed} server", f"{seconds:.0f}")
        assert failed == []
        return max(seconds for _, seconds in results.values())

    until(lambda: has_metric(nodes, 'idr_role_healthy{role="nfs"} 1'), ALERT_SECONDS)
    both("quick")
    with slowed(nodes):
        seconds = both("slow")
    assert seconds > 0.8 * 2 * LARGE_MIB * 2**20 * 8 / (RATE_MBIT * 10**6), "nothing was slow"
    assert has_metric(nodes, 'idr_role_healthy{role="nfs"} 1')


def test_a_file_that_cannot_be_read_is_an_error_of_that_file_alone(
    nodes: SharingNodes, record_property: Callable[[str, object], None]
) -> None:
    with broken(nodes, f"{BAD}\n{SWITCH}", f"{WELL}\n{SWITCH}"):
        for reader in READERS:
            done, seconds = read(nodes, reader, "bad", ERROR_SECONDS)
            assert (done.returncode, b"Input/output error" in done.stderr) == (1, True), (reader, done)
            record_property(f"seconds to the error of a file that cannot be read: {reader}", f"{seconds:.0f}")
            assert right(nodes, read(nodes, reader, "good", ERROR_SECONDS)[0], "good")
        # A single file must not count as an outage of the share and its node.
        assert unhealthy(nodes) == []
    for reader in READERS:
        assert right(nodes, read(nodes, reader, "bad", ERROR_SECONDS)[0], "bad"), reader


def test_a_disk_that_hangs_holds_up_nothing_else_of_the_node(
    nodes: SharingNodes, record_property: Callable[[str, object], None]
) -> None:
    with ThreadPoolExecutor() as pool:
        with broken(nodes, "dmsetup suspend --nolockfs raw", "dmsetup resume raw"):
            # Version 4 does not repeat a request over a connection that works (RFC 8881, 2.9.2): it waits for the disk.
            waiting = pool.submit(read, nodes, "4", "hanging-4", ALERT_SECONDS)
            done, seconds = read(nodes, "3", "hanging-3", ALERT_SECONDS)
            record_property("seconds to the error of NFS 3 while the server's disk hangs", f"{seconds:.0f}")
            assert (done.returncode, b"Input/output error" in done.stderr) == (1, True), done
            unhealthy(nodes)
            nodes.output_of(READONLY, f"cat {BROUGHT}/image && sudo touch /data/OMERO/own")
            assert has_metric(nodes, 'idr_role_healthy{role="common"} 1')
            assert not waiting.done()
        assert right(nodes, waiting.result()[0], "hanging-4")
    assert right(nodes, read(nodes, "3", "hanging-3", ERROR_SECONDS)[0], "hanging-3")
    assert unhealthy(nodes) == []
    until(lambda: has_metric(nodes, 'idr_role_healthy{role="nfs"} 1'), ALERT_SECONDS)
