"""A release whose read-only node mounts by NFS, on emulated machines: containers share this machine's kernel.

Two nodes of the stack are in the zone of emulated machines. They get the configuration of the official distribution,
because the demo shares no files. It lacks only OMERO.server itself, whose Python packages would take many minutes on
an emulated processor (tests/soak/test_official.py has it in a container). A folder of the read-write node replaces
the site's server of raw images.

test_nfs.py, test_nfs_kinds.py and test_nfs_faults.py each start such a release: the setup takes 6 to 7
minutes.
"""

import dataclasses
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

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
from tests.waiting import wait_until

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
"""Links on the read-only node, and a folder that the test adds to it."""
SITE_SERVER = "192.0.2.1"
"""The server in the settings: they refuse a node of the stack, which replaces it here."""
MOUNTD_PORT = 20048
LEFT_OUT = ("omero-downloads", "omero-database", "omero-server")
COMMANDS = "/usr/local/lib/idr/omero-server/common.sh"
SERVER = "short() { echo parts; }\nsql() { echo parts; }\n"
"""Stubs for the functions with which other steps query OMERO.server and its database; both give the same answer."""
BOOT_SECONDS = 600
ERROR_SECONDS = 120
"""The longest time until a missing share is an error: three tries, and the automount's own limit."""
ALERT_SECONDS = 400
"""The longest time until `idr-heal` notices: two minutes between two tests, and the longest of its tests."""


@dataclass(frozen=True)
class SharingNodes:
    """A release with a read-write and a read-only node on emulated machines."""

    stack: Tenant
    service: Service

    def on(self, node: str, command: str, text_input: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
        """Run a command on a node."""
        # A machine that is switched off does not end its connections.
        options = [f"-o{option}" for option in ("BatchMode=yes", "ConnectTimeout=120", "ServerAliveInterval=10")]
        ssh = ["ssh", "-F", str(self.service.ssh_config), *options, node]
        return subprocess.run([*ssh, command], input=text_input, capture_output=True, check=False, timeout=1800)

    def output_of(self, node: str, command: str, text_input: bytes = b"") -> str:
        """Return the output of a command that must succeed."""
        done = self.on(node, command, text_input)
        assert done.returncode == 0, f"{node}: {command}: {done.stdout.decode()}{done.stderr.decode()}"
        return done.stdout.decode().strip()

    def address(self, node: str) -> str:
        """Return a node's address in the release's network."""
        return str(self.service.outputs["inventory"]["_meta"]["hostvars"][node]["idr_address"])

    def bundle(self, name: str) -> str:
        """Return a node's configuration with the official distribution, without OMERO.server itself."""
        values = stacks.values("local")
        values |= {"omero": stacks.values("ebi")["omero"], "omeroImage": values["image"], "releases": RELEASES}
        values["storage"] = [VOLUME]
        if name == READONLY:  # the other one replaces the site's server
            source, options = f"{SITE_SERVER}:{RAW}", f"ro,nfsvers=3,nolock,mountport={MOUNTD_PORT}"
            links = {"idr0001": RAW_MOUNTED, "old/idr0002": RAW_BY_VERSION_3, "idr0003": BROUGHT}
            values["storage"] += [
                {"kind": "nfs", "source": source, "mount": RAW_MOUNTED},
                {"kind": "nfs", "source": source, "mount": RAW_BY_VERSION_3, "options": options},
                {"kind": "path", "mount": BROUGHT},
                {"kind": "links", "mount": TREE, "links": links},
            ]
        # A site's server of version 3 accepts these beside NFS.
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
        """Switch a machine on or off, and wait for that state."""
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
        """Wait until a machine has another boot id than before."""

        def again() -> bool:
            done = self.on(node, "cat /proc/sys/kernel/random/boot_id")
            return done.returncode == 0 and done.stdout.decode().strip() != before

        until(again, BOOT_SECONDS)


def has_metric(nodes: SharingNodes, line: str) -> bool:
    """Return whether Prometheus reads this line in the read-only node's metrics."""
    ask = f"curl -sS --cacert /etc/idr/ca.crt https://{nodes.address(READONLY)}:9100/metrics"
    return line in nodes.on(READONLY, ask).stdout.decode().splitlines()


def until(condition: Callable[[], bool], seconds: float) -> None:
    """Wait until a condition is true, with long pauses: emulated machines are slow."""
    wait_until(condition, seconds, pause=5)


def open_port(nodes: SharingNodes) -> None:
    """Let the read-only node connect to NFS: the stack's security groups are the demo's, which shares no files."""
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
    """Give the read-write node what the guest image lacks, and the raw images that it shares like a site's server."""
    export = f"{RAW} {nodes.address(READONLY)}(ro,no_subtree_check,fsid=9)\n"
    nodes.output_of(READWRITE, f"sudo mkdir -p {RAW} /etc/exports.d && echo raw | sudo tee {RAW}/image")
    nodes.output_of(READWRITE, "sudo tee /etc/exports.d/raw.exports", export.encode())
    # The release's own server speaks version 4 alone; the site's speaks both. Its file is read after the role's.
    both = f"[nfsd]\nvers3 = y\n[mountd]\nport = {MOUNTD_PORT}\n"
    nodes.output_of(READWRITE, "sudo mkdir -p /etc/nfs.conf.d && sudo tee /etc/nfs.conf.d/site.conf", both.encode())
    nodes.output_of(READWRITE, "cat > server.deb && sudo dpkg -i server.deb", server_package(nodes.stack.folder))
    nodes.output_of(READONLY, f"sudo mkdir -p {BROUGHT} && echo brought | sudo tee {BROUGHT}/image")


def server_package(folder: Path) -> bytes:
    """Download Debian's package of the kernel's NFS server, which the distribution provides in production."""
    subprocess.run(["apt-get", "-q", "download", "nfs-kernel-server"], cwd=folder, capture_output=True, check=True)
    return next(folder.glob("nfs-kernel-server_*.deb")).read_bytes()


def register_image() -> None:
    """Register the guest image again, with its kernel, which containers do not need."""
    folder = rootfs.image_folder()
    parts = ["--kernel", str(folder / "vmlinuz"), "--initrd", str(folder / "initrd")]
    command = [sys.executable, "-m", "dev.cloud", "image", str(folder / "rootfs.raw"), "--name", IMAGE, *parts]
    subprocess.run(command, cwd=stacks.ROOT, check=True)


@contextmanager
def running(folder: Path, equip: Callable[[SharingNodes], None] = equip) -> Iterator[SharingNodes]:
    """Run the release in another project, both nodes configured: the read-only one waits for the other by itself."""
    # This also deletes what a killed run has left on the host: the host could not start otherwise.
    stack = tenant.make(folder, "idr-nfs")
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
