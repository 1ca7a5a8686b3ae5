"""What needs NFS, on emulated machines with kernels of their own: containers share this machine's, which may have none.

A stack like any other, two of its nodes in the zone of emulated machines. They are then sent the configuration of the
official distribution, since the demo shares no files: all of it but OMERO.server itself, whose Python packages alone
take an emulated processor many minutes (tests/soak/test_official.py has it on a container). The site's server of raw
images is played by a folder of the read-write node.
"""

import dataclasses
import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from cloudinit import render
from dev.cloud import emulated
from dev.cloud.layout import State
from dev.image import rootfs
from harness import stacks
from harness.cloud import tenant
from harness.cloud.service import Service
from harness.cloud.tenant import Tenant
from model import reading
from model.firewall import NFS_PORT
from model.nfs import RPCBIND_PORT
from model.planning import plan
from tests.soak.official import without_packages

pytestmark = pytest.mark.cloud

READWRITE, READONLY, SERVICES = "demo1-omeroreadwrite", "demo1-omeroreadonly", "demo1-services"
IMAGE = "idr-debian-12-emulated"
EMULATED = {"flavor": "local.small", "zone": emulated.ZONE}
RELEASES = {
    "demo1": {
        "cidr": "10.130.1.0/24",
        "nodes": {
            "services": {
                "roles": ["database", "redis", "web", "proxy"],
                "flavor": "local.medium",
                "volumes": {"db": {"sizeGib": 1}},
            },
            "omeroreadwrite": {"roles": ["omero-readwrite"], "volumes": {"data": {"sizeGib": 1}}, **EMULATED},
            "omeroreadonly": {"roles": ["omero-readonly"], **EMULATED},
        },
    }
}
VOLUME = {"kind": "volume", "name": "raw", "release": "demo1", "mount": "/uod/volume", "sizeGib": 1}
SHARED, MOUNTED = "/data/OMERO/ManagedRepository", "/data/OMERO-readonly/ManagedRepository"
RAW, RAW_MOUNTED, RAW_BY_VERSION_3 = "/srv/raw", "/uod/idr", "/uod/old"
TREE, BROUGHT = "/uod/filesets", "/srv/brought"
"""Links that the read-only node has, and a folder that the test brings to it."""
SITE_SERVER = "192.0.2.1"
"""Whom the settings name: they refuse a machine of the stack, as the read-write node that plays it is."""
MOUNTD_PORT = 20048
LEFT_OUT = ("omero-downloads", "omero-database", "omero-server")
COMMANDS = "/usr/local/lib/idr/omero-server/common.sh"
SERVER = "short() { echo parts; }\nsql() { echo parts; }\n"
"""Stubs of the functions with which other steps ask OMERO.server and its database; both give the same answer."""
BOOT_SECONDS = 600
ERROR_SECONDS = 120
"""What a share that is away may take to say so: three tries, and the automount's own limit."""
ALERT_SECONDS = 400
"""What `idr-heal` may take to notice: two minutes between two looks, and the longest of its tests."""


@dataclass(frozen=True)
class SharingNodes:
    """A release with a read-write and a read-only node on emulated machines."""

    stack: Tenant
    service: Service

    def on(self, node: str, command: str, text_input: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
        """Run a command on a node."""
        # A machine that is switched off says nothing to who is connected.
        options = [f"-o{option}" for option in ("BatchMode=yes", "ConnectTimeout=120", "ServerAliveInterval=10")]
        ssh = ["ssh", "-F", str(self.service.ssh_config), *options, node]
        return subprocess.run([*ssh, command], input=text_input, capture_output=True, check=False, timeout=1800)

    def output_of(self, node: str, command: str, text_input: bytes = b"") -> str:
        """Return the output of a command that must succeed."""
        done = self.on(node, command, text_input)
        assert done.returncode == 0, f"{node}: {command}: {done.stdout.decode()}{done.stderr.decode()}"
        return done.stdout.decode().strip()

    def address(self, node: str) -> str:
        """A node's address in the release's network."""
        return str(self.service.outputs["inventory"]["_meta"]["hostvars"][node]["idr_address"])

    def bundle(self, name: str) -> str:
        """A node's configuration with the official distribution, but for OMERO.server itself."""
        values = stacks.values("local")
        values |= {"omero": stacks.values("ebi")["omero"], "omeroImage": values["image"], "releases": RELEASES}
        values["storage"] = [VOLUME]
        if name == READONLY:  # the other one plays the site's server
            source, options = f"{SITE_SERVER}:{RAW}", f"ro,nfsvers=3,nolock,mountport={MOUNTD_PORT}"
            links = {"idr0001": RAW_MOUNTED, "old/idr0002": RAW_BY_VERSION_3, "idr0003": BROUGHT}
            values["storage"] += [
                {"kind": "nfs", "source": source, "mount": RAW_MOUNTED},
                {"kind": "nfs", "source": source, "mount": RAW_BY_VERSION_3, "options": options},
                {"kind": "path", "mount": BROUGHT},
                {"kind": "links", "mount": TREE, "links": links},
            ]
        # What a site's server of version 3 lets in beside NFS.
        ends = {"from": "omero-readonly", "to": "omero-readwrite", "why": "NFS version 3"}
        values["flows"] = [
            {**ends, "ports": [RPCBIND_PORT, MOUNTD_PORT], "transport": transport} for transport in ("tcp", "udp")
        ]
        stack_plan = plan(reading.parse(values, reading.Source("local", "Pulumi.local.yaml")), "local")
        stack_plan = dataclasses.replace(stack_plan, releases=tuple(map(without_packages, stack_plan.releases)))
        node = next(node for node in stack_plan.nodes if node.name == name)
        volumes = {volume.name: volume.id for volume in self.stack.cloud().block_storage.volumes()}
        ids = {volume.purpose: volumes[f"idr-local-{name}-{volume.purpose}"] for volume in node.volumes}
        whole = json.loads(render.bundle(node, stack_plan, self.stack.secrets(), ids))
        files = [entry | {"content": SERVER} if entry["path"] == COMMANDS else entry for entry in whole["files"]]
        roles = [role for role in whole["roles"] if role not in LEFT_OUT]
        return json.dumps(whole | {"files": files, "roles": roles}).replace(SITE_SERVER, self.address(READWRITE))

    def apply(self, node: str) -> None:
        """Send a node its configuration."""
        output = self.output_of(node, "sudo /usr/local/sbin/idr-apply", self.bundle(node).encode())
        assert output.endswith(": ready")

    def power(self, node: str, *, on: bool) -> None:
        """Switch a machine on or off, and wait until it is."""
        compute = self.stack.cloud().compute
        server = compute.find_server(f"idr-local-{node}", ignore_missing=False)
        (compute.start_server if on else compute.stop_server)(server)
        compute.wait_for_server(server, status="ACTIVE" if on else "SHUTOFF", wait=BOOT_SECONDS)

    def reboot(self, node: str) -> None:
        """Reboot a machine from inside, and wait until it answers again."""
        before = self.output_of(node, "cat /proc/sys/kernel/random/boot_id")
        self.on(node, "sudo systemctl reboot")
        self.until_up(node, before)

    def until_up(self, node: str, before: str = "") -> None:
        """Wait for another boot of a machine than the one before."""

        def again() -> bool:
            done = self.on(node, "cat /proc/sys/kernel/random/boot_id")
            return done.returncode == 0 and done.stdout.decode().strip() != before

        until(again, BOOT_SECONDS)


def told(nodes: SharingNodes, line: str) -> bool:
    """Whether Prometheus reads this line of the read-only node's metrics."""
    ask = f"curl -sS --cacert /etc/idr/ca.crt https://{nodes.address(READONLY)}:9100/metrics"
    return line in nodes.on(READONLY, ask).stdout.decode().splitlines()


def until(done: Callable[[], bool], seconds: float) -> None:
    """Wait until something is so, which must be in time."""
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, f"not within {seconds:.0f} s"
        time.sleep(5)


def open_port(nodes: SharingNodes) -> None:
    """Let the read-only node through to NFS: the stack's security groups are the demo's, which shares no files."""
    network = nodes.stack.cloud().network
    groups = {group.name: group.id for group in network.security_groups()}
    server, client = (groups[f"idr-local-demo1-{role}"] for role in ("omero-readwrite", "omero-readonly"))
    version_3 = [(transport, port) for transport in ("tcp", "udp") for port in (RPCBIND_PORT, MOUNTD_PORT)]
    for transport, number in [("tcp", NFS_PORT), *version_3]:
        port = {"protocol": transport, "port_range_min": number, "port_range_max": number, "ether_type": "IPv4"}
        network.create_security_group_rule(
            security_group_id=server, remote_group_id=client, direction="ingress", **port
        )
        network.create_security_group_rule(security_group_id=client, remote_group_id=server, direction="egress", **port)


def equip(nodes: SharingNodes) -> None:
    """Give the read-write node what the guest image lacks, and the raw images that it shares as a site would."""
    export = f"{RAW} {nodes.address(READONLY)}(ro,no_subtree_check,fsid=9)\n"
    nodes.output_of(READWRITE, f"sudo mkdir -p {RAW} /etc/exports.d && echo raw | sudo tee {RAW}/image")
    nodes.output_of(READWRITE, "sudo tee /etc/exports.d/raw.exports", export.encode())
    # The release's own server speaks version 4 alone; the site's speaks both. Its file is read behind the role's.
    both = f"[nfsd]\nvers3 = y\n[mountd]\nport = {MOUNTD_PORT}\n"
    nodes.output_of(READWRITE, "sudo mkdir -p /etc/nfs.conf.d && sudo tee /etc/nfs.conf.d/site.conf", both.encode())
    nodes.output_of(READWRITE, "cat > server.deb && sudo dpkg -i server.deb", server_package(nodes.stack.folder))
    nodes.output_of(READONLY, f"sudo mkdir -p {BROUGHT} && echo brought | sudo tee {BROUGHT}/image")


def server_package(folder: Path) -> bytes:
    """Debian's package of the kernel's NFS server: in production it comes from the distribution."""
    subprocess.run(["apt-get", "-q", "download", "nfs-kernel-server"], cwd=folder, capture_output=True, check=True)
    return next(folder.glob("nfs-kernel-server_*.deb")).read_bytes()


def register_image() -> None:
    """Give the cloud the guest image once more, with its kernel: containers have no use for that."""
    folder = rootfs.image_folder()
    parts = ["--kernel", str(folder / "vmlinuz"), "--initrd", str(folder / "initrd")]
    command = [sys.executable, "-m", "dev.cloud", "image", str(folder / "rootfs.raw"), "--name", IMAGE, *parts]
    subprocess.run(command, cwd=stacks.ROOT, check=True)


@pytest.fixture(scope="module")
def nodes(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SharingNodes]:
    """The release, both nodes configured: the read-only one waits for the other by itself."""
    assert service.outputs
    # It deletes what a run that was killed has left on the host, which cannot be started beside it.
    stack = tenant.make(tmp_path_factory.mktemp("nfs"), "idr-nfs")
    with emulated.host(State.at(None)):
        register_image()
        stack.configure(idr_image=IMAGE, idr_releases=RELEASES, idr_storage=[VOLUME])
        with stack.running():
            nodes = SharingNodes(stack, stack.service())
            open_port(nodes)
            equip(nodes)
            with ThreadPoolExecutor() as pool:
                list(pool.map(nodes.apply, (READWRITE, READONLY)))
            yield nodes


# The tests of this module follow each other on the same machines.


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


def test_a_volume_is_read_at_the_same_path_on_both_and_is_not_the_root_disk(nodes: SharingNodes) -> None:
    nodes.output_of(READWRITE, f"mountpoint {VOLUME['mount']} && echo volume | sudo tee {VOLUME['mount']}/image")
    assert nodes.output_of(READONLY, f"cat {VOLUME['mount']}/image") == "volume"
    assert nodes.on(READONLY, f"sudo touch {VOLUME['mount']}/other").returncode != 0


def test_a_volume_that_is_not_mounted_is_a_failure_that_names_it(nodes: SharingNodes) -> None:
    mount, health = VOLUME["mount"], "sudo /usr/local/lib/idr/local-storage/health"
    # The kernel keeps what it shares busy while it serves it.
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


def test_the_read_only_node_boots_and_works_while_the_other_is_down(nodes: SharingNodes) -> None:
    before = nodes.output_of(READONLY, "cat /proc/sys/kernel/random/boot_id")
    nodes.power(READWRITE, on=False)
    nodes.on(READONLY, "sudo systemctl reboot")
    nodes.until_up(READONLY, before)
    nodes.output_of(READONLY, "df -l && ls /data && sudo touch /data/OMERO/own && mount | grep -q /data/OMERO-readonly")
    # Who does touch the share gets an error, and is not held for ever.
    start = time.monotonic()
    assert nodes.on(READONLY, f"cat {SHARED}/file").returncode != 0
    assert time.monotonic() - start < ERROR_SECONDS
    until(lambda: told(nodes, 'idr_role_healthy{role="nfs"} 0'), ALERT_SECONDS)
    assert told(nodes, 'idr_role_healthy{role="common"} 1'), "the mount that is away holds up another role"
    log = nodes.output_of(READONLY, "sudo journalctl --quiet --no-pager --output=cat --unit=idr-heal")
    assert "role nfs is not healthy: " in log


def test_it_comes_back_by_itself(nodes: SharingNodes) -> None:
    nodes.power(READWRITE, on=True)
    until(lambda: nodes.on(READONLY, f"sudo cat {SHARED}/file").stdout == b"written", BOOT_SECONDS)
    until(lambda: told(nodes, 'idr_role_healthy{role="nfs"} 1'), ALERT_SECONDS)


def test_the_read_write_node_reboots_while_the_other_has_it_mounted(nodes: SharingNodes) -> None:
    nodes.output_of(READONLY, f"ls {SHARED}")
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
