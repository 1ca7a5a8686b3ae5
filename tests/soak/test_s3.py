"""A bucket as OMERO nodes mount it: the unit's own command, rclone, FUSE and a real S3 server (versitygw)."""

import os
import shlex
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from harness import stacks
from harness.ports import free_port
from harness.rendered import files
from model.planning import plan
from model.reading import Source, parse
from model.roles import Role
from model.secrets import Secrets
from tests.waiting import wait_until

SOURCE = Path(__file__).with_name("versitygw")
PROGRAM = "github.com/versity/versitygw/cmd/versitygw"
KEY, SECRET = "idr-reader", "kept-by-nobody-else"
AWAY = "192.0.2.9"
"""The settings refuse a store on the node itself, where this test has it."""
LARGE = 3_000_000
START_SECONDS = 20
ERROR_SECONDS = 60
HANGING_SECONDS = 300
"""A store that accepts requests and does not answer: ten tries of rclone, of two times 10 s each."""
SLOW_SECONDS = 10

pytestmark = [pytest.mark.needs("rclone", "fusermount3", "go")]


@dataclass
class Store:
    """An object store on loopback, with the folder that holds its objects."""

    folder: Path
    program: Path
    port: int
    authority: str
    process: "subprocess.Popen[bytes] | None" = field(default=None)

    def start(self) -> None:
        """Start it, and wait until it listens."""
        tls = ("--cert", f"{self.folder}/crt", "--key", f"{self.folder}/key")
        command = [str(self.program), "--port", f"127.0.0.1:{self.port}", "--quiet", *tls]
        command += ["posix", f"{self.folder}/objects"]
        environment = {**os.environ, "ROOT_ACCESS_KEY": KEY, "ROOT_SECRET_KEY": SECRET}
        self.process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(self._listens, START_SECONDS)

    def _listens(self) -> bool:
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self) -> None:
        """Kill it, as a crash does."""
        assert self.process
        self.process.kill()
        self.process.wait()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    folder = tmp_path_factory.mktemp("store")
    program = folder / "versitygw"
    build = ["go", "build", "-trimpath", "-mod=readonly", "-o", str(program), PROGRAM]
    subprocess.run(build, cwd=SOURCE, env={**os.environ, "CGO_ENABLED": "0", "GOFLAGS": ""}, check=True)
    own = Secrets("store", "an authority of the test's own")
    certificate = own.certificate("store", ("localhost", "127.0.0.1"))
    (folder / "crt").write_text(certificate.certificate)
    (folder / "key").write_text(certificate.key)
    (folder / "authority").write_text(own.authority.certificate)
    objects = folder / "objects" / "idr" / "zarr"
    objects.mkdir(parents=True)
    (objects / "0.0").write_bytes(os.urandom(LARGE))
    (objects / ".zattrs").write_text("{}")
    running_store = Store(folder, program, free_port(), str(folder / "authority"))
    running_store.start()
    yield running_store
    running_store.stop()


@dataclass
class Mount:
    """A mount as the node's unit starts it, below a folder of the test."""

    command: list[str]
    point: Path
    environment: dict[str, str]
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        """Mount as the unit does, after releasing the mount of a killed process."""
        subprocess.run(["fusermount3", "-uz", self.point], capture_output=True, check=False)
        self.process = subprocess.Popen(self.command, env=self.environment, stderr=subprocess.DEVNULL)
        wait_until(self.point.is_mount, START_SECONDS)

    def stop(self) -> None:
        """Unmount as the unit does."""
        subprocess.run(["fusermount3", "-uz", self.point], capture_output=True, check=False)
        if self.process:
            self.process.terminate()
            self.process.wait()


@pytest.fixture
def mount(store: Store, tmp_path: Path) -> Iterator[Mount]:
    """Mount the bucket of a stack file, with the configuration of an OMERO node."""
    bucket = {
        "bucket": "idr/zarr",
        "endpoint": f"https://{AWAY}:{store.port}",
        "mount": "/uod/idr/zarr",
        "accessKey": KEY,
        "secretKey": SECRET,
    }
    flows = [
        {"from": role, "to": f"{AWAY}/32", "ports": [store.port], "why": "object store"}
        for role in ("omero-readwrite", "omero-readonly")
    ]
    values = stacks.values("ebi") | {"storage": [{"kind": "s3", **bucket}], "flows": flows}
    stack_plan = plan(parse(values, Source("ebi", "Pulumi.ebi.yaml", frozenset({"storage"}))), "ebi")
    node = next(node for node in stack_plan.nodes if Role.OMERO_READONLY in node.roles)
    given = files(node, stack_plan, stacks.secrets_of("ebi"))
    config = tmp_path / "bucket.conf"
    config.write_text(given["/etc/idr/s3/uod-idr-zarr.conf"].replace(AWAY, "localhost"))
    unit = given["/etc/systemd/system/idr-s3-uod-idr-zarr.service"].replace("\\\n", " ")
    (line,) = (line for line in unit.splitlines() if line.startswith("ExecStart="))
    # The other users of the node pass through it, too.
    point = Path(tempfile.mkdtemp(prefix="idr-s3-"))
    point.chmod(0o755)
    elsewhere = {
        "/usr/bin/rclone": "rclone",
        "/etc/idr/s3/uod-idr-zarr.conf": str(config),
        "/var/cache/idr-s3/uod-idr-zarr": str(tmp_path / "cache"),
        "/uod/idr/zarr": str(point),
    }
    command = [elsewhere.get(word, word) for word in shlex.split(line.removeprefix("ExecStart="))]
    environment = {key: value for key, value in os.environ.items() if key != "AWS_CA_BUNDLE"}
    mounted = Mount(command, point, {**environment, "RCLONE_CA_CERT": store.authority})
    mounted.start()
    yield mounted
    mounted.stop()
    point.rmdir()


def test_the_objects_are_read_and_nothing_can_be_written(store: Store, mount: Mount) -> None:
    objects = store.folder / "objects" / "idr" / "zarr"
    assert sorted(file.name for file in mount.point.iterdir()) == [".zattrs", "0.0"]
    assert (mount.point / "0.0").read_bytes() == (objects / "0.0").read_bytes()
    with pytest.raises(OSError, match="Read-only file system"):
        (mount.point / "new").touch()


def test_omeros_user_may_read_what_root_has_mounted(mount: Mount) -> None:
    done = subprocess.run(["cat", mount.point / ".zattrs"], user=65534, capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (0, b"{}")


def test_a_store_that_is_gone_is_an_error_and_what_was_read_stays_readable(store: Store, mount: Mount) -> None:
    (mount.point / ".zattrs").read_bytes()
    store.stop()
    try:
        assert (mount.point / ".zattrs").read_bytes() == b"{}"
        start = time.monotonic()
        with pytest.raises(OSError, match="Input/output error"):
            (mount.point / "0.0").read_bytes()
        assert time.monotonic() - start < ERROR_SECONDS
    finally:
        store.start()
    assert len((mount.point / "0.0").read_bytes()) == LARGE


def test_a_store_that_hangs_is_an_error_and_a_slow_one_is_waited_for(store: Store, mount: Mount) -> None:
    assert store.process
    list(mount.point.iterdir())
    store.process.send_signal(signal.SIGSTOP)
    try:
        start = time.monotonic()
        with pytest.raises(OSError, match="Input/output error"):
            (mount.point / "0.0").read_bytes()
        print(f"an error after {time.monotonic() - start:.0f} s")
        assert time.monotonic() - start < HANGING_SECONDS
        threading.Timer(SLOW_SECONDS, store.process.send_signal, [signal.SIGCONT]).start()
        assert len((mount.point / "0.0").read_bytes()) == LARGE
    finally:
        store.process.send_signal(signal.SIGCONT)


def test_an_object_that_cannot_be_read_is_an_error_of_that_object_alone(store: Store, mount: Mount) -> None:
    objects = store.folder / "objects" / "idr" / "zarr"
    (objects / "lost").write_bytes(b"x" * LARGE)
    wait_until(lambda: (mount.point / "lost").exists(), START_SECONDS)
    (objects / "lost").unlink()
    with pytest.raises(OSError, match="Input/output error"):
        (mount.point / "lost").read_bytes()
    assert len((mount.point / "0.0").read_bytes()) == LARGE


def test_a_killed_process_is_replaced_by_one_that_serves(mount: Mount) -> None:
    assert mount.process
    mount.process.send_signal(signal.SIGKILL)
    mount.process.wait()
    with pytest.raises(OSError, match="not connected"):
        list(mount.point.iterdir())
    mount.start()
    assert len(list(mount.point.iterdir())) == 2
