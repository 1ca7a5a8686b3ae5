"""Uploads with the real sshd and sftp, in a mount namespace whose accounts end with the test."""

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from harness.ports import free_port
from harness.stacks import ROOT
from idr.__main__ import app
from idr.manifest.sums import read as read_manifest
from model.roles import Role
from tests.unit.cloudinit.upload_node import CLIENT_OPTIONS, Node, files, running, wait

pytestmark = [
    pytest.mark.needs("sshd", "sftp", "unshare", "nginx", "setpriv"),
    pytest.mark.skipif(os.geteuid() != 0, reason="accounts in a mount namespace need root"),
]


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with running(tmp_path_factory.mktemp("client")) as node:
        yield node


@pytest.fixture
def sent(node: Node) -> Path:
    """Write the files of a submitter."""
    folder = node.folder / "plate"
    (folder / "well").mkdir(parents=True, exist_ok=True)
    (folder / "well" / "field 1.tif").write_bytes(b"1" * 70_000)
    (folder / "read me.txt").write_text("about\n")
    return folder


def test_a_submitter_writes_and_curators_get_it_with_sums(node: Node, sent: Path) -> None:
    password = node.opened("idr0001-smith", "--gib", 1)
    status, output = node.sftp("idr0001-smith", f"put -r {sent}\n", password)
    assert status == 0, output
    done = node.idr_upload("hand-over", "idr0001-smith")
    assert done.returncode == 0, done.stderr.decode()
    received = "/srv/upload/received/idr0001-smith"
    assert node.machine.output_of(f"cd {received} && find . -type f | sort").splitlines() == [
        "./plate/read me.txt",
        "./plate/well/field 1.tif",
    ]
    assert node.machine.output_of(f"cd {received} && sha256sum --check --quiet ../idr0001-smith.sha256") == ""
    lines = node.machine.output_of(f"cat {received}.sha256").splitlines(keepends=True)
    assert [one.path for one in read_manifest(lines, "it")] == ["plate/read me.txt", "plate/well/field 1.tif"]
    modes = node.machine.output_of(
        f"stat -c '%a %U %G' {received} {received}/plate {received}/plate/r* {received}.sha256"
    )
    assert modes.splitlines() == ["750 root idr-curator"] * 2 + ["640 root idr-curator"] * 2
    assert node.sftp("idr0001-smith", "pwd\n", password)[0] == 255
    assert node.machine.run("id upload-idr0001-smith").returncode != 0
    # As in the guide, by a member of the curators' group.
    (line,) = re.findall(r"ssh upload --login bob -- (tar .+) \| tar", (ROOT / "docs" / "guide.md").read_text())
    command = line.replace("idr0150-smith", "idr0001-smith")
    archive = node.machine.run(f"setpriv --reuid=65534 --regid=idr-curator --clear-groups {command}")
    assert archive.returncode == 0, archive.stderr.decode()
    incoming = node.folder / "incoming"
    incoming.mkdir()
    subprocess.run(["tar", "--extract", "--directory", incoming], input=archive.stdout, check=True)
    sums = [str(incoming / "idr0001-smith"), str(incoming / "idr0001-smith.sha256")]
    verified = CliRunner().invoke(app, ["manifest", *sums, "--verify"])
    assert verified.exit_code == 0, verified.output
    # Here nobody is in OMERO's group.
    assert oct((incoming / "idr0001-smith" / "plate" / "read me.txt").stat().st_mode)[-3:] == "644"


@pytest.mark.parametrize(
    "command",
    ["get big.tif back", "ls", "ls -l /", "rm big.tif", "ln -s /etc/passwd link", "ln big.tif other", "rmdir made"],
)
def test_nothing_is_read_listed_linked_or_removed(node: Node, command: str) -> None:
    if "idr0002-doe" not in node.idr_upload("list").stdout.decode():
        (node.folder / "big.tif").write_bytes(b"2" * 1000)
        (node.folder / "password").write_text(node.opened("idr0002-doe", "--gib", 1))
        assert node.sftp("idr0002-doe", "put big.tif\nmkdir made\n", (node.folder / "password").read_text())[0] == 0
    status, output = node.sftp("idr0002-doe", f"{command}\n", (node.folder / "password").read_text())
    # The client warns that it may not list its own folder, and continues.
    assert status == (0 if command == "ls" else 1), output
    assert any(text in output for text in ("ermission denied", "nsupported", "does not support")), output
    back = node.folder / "back"
    assert not back.exists() or back.stat().st_size == 0
    there = node.machine.output_of("ls /srv/upload/open/upload-idr0002-doe/incoming").split()
    assert there == ["big.tif", "made"]


@pytest.mark.parametrize("path", ["/", "../other", "/etc"])
def test_nothing_is_written_outside_the_own_folder(node: Node, sent: Path, path: str) -> None:
    name = f"idr0003-{abs(hash(path)) % 10**6}"
    password = node.opened(name, "--gib", 1)
    status, output = node.sftp(name, f"put '{sent}/read me.txt' {path}/x\n", password)
    assert status == 1, output


def test_an_upload_goes_on_where_it_was_cut_off_through_the_proxy(node: Node) -> None:
    password = node.opened("idr0012-proxy", "--gib", 1)
    whole = node.folder / "whole.tif"
    whole.write_bytes(os.urandom(50_000))
    cut = node.folder / "cut.tif"
    cut.write_bytes(whole.read_bytes()[:20_000])
    assert node.sftp("idr0012-proxy", "put cut.tif whole.tif\n", password)[0] == 0
    with through_nginx(node) as port:
        status, output = Node(node.machine, port, node.folder).sftp("idr0012-proxy", "reput whole.tif\n", password)
    assert status == 0, output
    there = node.machine.run("cat /srv/upload/open/upload-idr0012-proxy/incoming/whole.tif").stdout
    assert there == whole.read_bytes()


@contextmanager
def through_nginx(node: Node) -> Iterator[int]:
    """Run the real nginx with the proxy's server for uploads; return its port."""
    stream = files(Role.PROXY)["/etc/nginx/stream.conf"]
    (listen,) = re.findall(r"listen 2222;", stream)
    (there,) = re.findall(r"proxy_pass [\d.]+:2222;", stream)
    port = free_port()
    ours = stream[stream.index("# Submitters.") :].replace(listen, f"listen 127.0.0.1:{port};")
    text = ours.replace(there, f"proxy_pass 127.0.0.1:{node.port};")
    config = node.folder / "nginx.conf"
    module = "load_module /usr/lib/nginx/modules/ngx_stream_module.so;"
    config.write_text(f"{module}\ndaemon off;\npid {node.folder}/nginx.pid;\nevents {{}}\nstream {{\n{text}\n}}\n")
    with subprocess.Popen(["nginx", "-e", "stderr", "-c", config], stderr=subprocess.DEVNULL) as nginx:
        try:
            wait(
                lambda: (
                    not subprocess.run(
                        ["ssh-keyscan", "-p", str(port), "127.0.0.1"], check=False, capture_output=True
                    ).returncode
                )
            )
            yield port
        finally:
            nginx.terminate()


def test_another_ones_password_does_not_open_a_submission(node: Node) -> None:
    password = node.opened("idr0004-one", "--gib", 1)
    node.opened("idr0004-two", "--gib", 1)
    assert node.sftp("idr0004-one", "pwd\n", password)[0] == 0
    assert node.sftp("idr0004-two", "pwd\n", password)[0] == 255


def test_a_key_opens_it_and_a_password_does_not(node: Node, sent: Path) -> None:
    key = node.folder / "id"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    assert node.opened("idr0005-key", "--gib", 1, "--key", key.with_suffix(".pub").read_text().strip()) == ""
    assert node.sftp("idr0005-key", f"put '{sent}/read me.txt'\n", key=key)[0] == 0
    assert node.sftp("idr0005-key", "pwd\n", password="*")[0] == 255  # noqa: S106  # it is none
    assert node.sftp("idr0004-one", "pwd\n", key=key)[0] == 255


def test_no_shell_no_command_and_no_forwarding(node: Node) -> None:
    password = node.opened("idr0006-shell", "--gib", 1)
    assert "This service allows sftp connections only" in _ssh(node, password, "id")
    forwarded = _ssh(node, password, "-W", f"127.0.0.1:{node.port}")
    assert "SSH-2.0" not in forwarded


def _ssh(node: Node, password: str, *more: str) -> str:
    before = more if more[0].startswith("-") else ()
    command = [
        "ssh",
        *CLIENT_OPTIONS,
        "-p",
        str(node.port),
        *before,
        "upload-idr0006-shell@127.0.0.1",
        *(() if before else more),
    ]
    done = subprocess.run(
        command, env=node.answering(password), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        timeout=30,
    )  # fmt: skip
    return done.stdout + done.stderr
