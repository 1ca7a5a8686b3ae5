"""Uploads with the true sshd and sftp, in a mount namespace whose accounts end with the test."""

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness import stacks
from harness.ports import free_port
from idr.manifest.sums import read as read_manifest
from model.planning import plan
from model.reading import SettingsError, Source, parse
from model.roles import Role
from tests.unit.cloudinit.upload_node import STEPS, Node, as_unit, files, running, wait

pytestmark = [
    pytest.mark.needs("sshd", "sftp", "unshare", "nginx", "setpriv"),
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root"),
]


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with running(tmp_path_factory.mktemp("client")) as node:
        yield node


@pytest.fixture
def sent(node: Node) -> Path:
    """What a submitter has."""
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
    # Of its own folder, which it may not list, the client says so and goes on.
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
    """The port of a true nginx that passes on what the proxy's would."""
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
    own = {"SSH_ASKPASS": str(node.folder / "askpass"), "SSH_ASKPASS_REQUIRE": "force", "PASSWORD": password}
    options = [
        "-F",
        "none",
        "-p",
        str(node.port),
        "-o",
        "StrictHostKeyChecking=no",
        "-o",
        "UserKnownHostsFile=/dev/null",
    ]
    before = more if more[0].startswith("-") else ()
    command = ["ssh", *options, *before, "upload-idr0006-shell@127.0.0.1", *(() if before else more)]
    done = subprocess.run(
        command, env={**os.environ, **own}, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        timeout=30,
    )  # fmt: skip
    return done.stdout + done.stderr


def test_more_than_the_quota_ends_the_upload_and_more_quota_lets_it_go_on(node: Node) -> None:
    big = node.folder / "huge.tif"
    big.write_bytes(b"")
    os.truncate(big, 0)
    password = node.opened("idr0007-huge", "--gib", 1)
    # A quota of a few bytes would do, and the tool has GiB: the record is what the watch reads.
    record = "/srv/upload/submissions/idr0007-huge"
    node.machine.output_of(f'sed -i \'s/"gib": 1,/"gib": 0.001,/\' {record}')
    big.write_bytes(os.urandom(4 << 20))
    assert node.sftp("idr0007-huge", "put huge.tif\n", password)[0] == 0
    watch = node.start(as_unit("idr-upload-quota"))
    try:
        wait(lambda: "full" in node.idr_upload("list").stdout.decode())
        assert node.sftp("idr0007-huge", "put huge.tif again.tif\n", password)[0] == 255
        assert node.idr_upload("extend", "idr0007-huge", "--gib", 1).returncode == 0
        assert node.sftp("idr0007-huge", "put huge.tif again.tif\n", password)[0] == 0
        node.machine.output_of(f'sed -i \'s/"until": "[^"]*"/"until": "2026-01-01"/\' {record}')
        wait(lambda: "over" in node.idr_upload("list").stdout.decode())
        assert node.sftp("idr0007-huge", "pwd\n", password)[0] == 255
    finally:
        watch.terminate()
        watch.wait()


def test_a_session_that_goes_on_ends_with_the_submission(node: Node) -> None:
    password = node.opened("idr0008-slow", "--gib", 1)
    own = {"SSH_ASKPASS": str(node.folder / "askpass"), "SSH_ASKPASS_REQUIRE": "force", "PASSWORD": password}
    options = [
        "-F",
        "none",
        "-P",
        str(node.port),
        "-o",
        "StrictHostKeyChecking=no",
        "-o",
        "UserKnownHostsFile=/dev/null",
    ]
    with subprocess.Popen(
        ["sftp", *options, "upload-idr0008-slow@127.0.0.1"], env={**os.environ, **own}, stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as session:  # fmt: skip
        wait(lambda: node.machine.run("pgrep -f 'sshd: upload-idr0008-slo[w]'").returncode == 0)
        assert node.idr_upload("delete", "idr0008-slow").returncode == 0
        wait(lambda: node.machine.run("pgrep -f 'sshd: upload-idr0008-slo[w]'").returncode == 1)
        session.communicate(timeout=20)


def test_what_curators_should_not_meet_is_not_handed_over(node: Node) -> None:
    node.opened("idr0009-odd", "--gib", 1)
    incoming = "/srv/upload/open/upload-idr0009-odd/incoming"
    empty = node.idr_upload("hand-over", "idr0009-odd")
    assert (empty.returncode, b"there are no files" in empty.stderr) == (1, True)
    node.machine.output_of(f"cd {incoming} && touch a $'b\\nc' && ln -s /etc/shadow d && ln a e && mkfifo f")
    output = node.idr_upload("hand-over", "idr0009-odd").stderr.decode()
    for text in ("'b\\nc': the name", "'d': is no file", "'e': has another name", "'f': is no file"):
        assert text in output
    assert node.machine.run("ls /srv/upload/received/idr0009-odd").returncode != 0
    assert "refused" in node.idr_upload("list").stdout.decode()


def test_folders_in_folders_without_end_stop_nothing(node: Node) -> None:
    """By renaming, a submitter makes a tree deeper than any path is long."""
    node.opened("idr0150-deep", "--gib", 1)
    deep = "import os; [(os.mkdir('d'), os.chdir('d')) for _ in range(3000)]; open('x', 'wb').write(bytes(1 << 28))"
    done = node.machine.run(f'cd /srv/upload/open/upload-idr0150-deep/incoming && python3 -c "{deep}"')
    assert done.returncode == 0, done.stderr.decode()
    listed = node.idr_upload("list")
    assert (listed.returncode, "0.2 of 1" in listed.stdout.decode()) == (0, True), listed.stderr.decode()
    refused = node.idr_upload("hand-over", "idr0150-deep")
    assert (refused.returncode, "the path is longer than 2000 bytes" in refused.stderr.decode()) == (1, True)
    assert "Traceback" not in refused.stderr.decode()
    deleted = node.idr_upload("delete", "idr0150-deep")
    assert deleted.returncode == 0, deleted.stderr.decode()


def test_a_hand_over_that_was_cut_off_goes_on(node: Node) -> None:
    password = node.opened("idr0013-cut", "--gib", 1)
    incoming = "/srv/upload/open/upload-idr0013-cut/incoming"
    node.machine.output_of(
        f'echo tif > {incoming}/a.tif; sed -i \'s/"open"/"leaving"/\' /srv/upload/submissions/idr0013-cut'
    )
    extended = node.idr_upload("extend", "idr0013-cut", "--gib", 2)
    assert b"idr0013-cut is being handed over" in extended.stderr
    node.machine.output_of("userdel upload-idr0013-cut && /usr/local/lib/idr/upload/activate && id upload-idr0013-cut")
    assert node.sftp("idr0013-cut", "pwd\n", password)[0] == 255
    # An update meanwhile gives nothing back to the submitter; the last step before the end was the move.
    node.machine.output_of(
        f"chown root {incoming} && /usr/local/lib/idr/upload/activate && stat -c %U {incoming} | grep root"
    )
    node.machine.output_of(f"mv {incoming} /srv/upload/received/idr0013-cut")
    done = node.idr_upload("hand-over", "idr0013-cut")
    assert done.returncode == 0, done.stderr.decode()
    assert node.machine.run("id upload-idr0013-cut").returncode != 0
    assert "received" in node.idr_upload("list").stdout.decode()


def test_a_replaced_server_has_the_accounts_again(node: Node, sent: Path) -> None:
    password = node.opened("idr0010-kept", "--gib", 1)
    before = node.machine.output_of("id -u upload-idr0010-kept")
    node.machine.output_of("userdel upload-idr0010-kept && rm -r /etc/idr/upload/keys")
    assert node.sftp("idr0010-kept", "pwd\n", password)[0] == 255
    for step in STEPS:
        node.machine.output_of(f"/usr/local/lib/idr/upload/{step}")
    assert node.machine.output_of("id -u upload-idr0010-kept") == before
    assert node.sftp("idr0010-kept", f"put '{sent}/read me.txt'\n", password)[0] == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["open", "../etc", "--gib", 1], "'../etc' is no name"),
        (["open", "idr0001-smith", "--gib", 1], "there is a submission idr0001-smith: take another name"),
        (["open", "idr0011-large", "--gib", 999999], "GiB that are promised to nobody"),
        (["open", "idr0011-key", "--gib", 1, "--key", "ssh-ed25519 AAAA\ncommand"], "is no public ssh key"),
        (["extend", "idr0011-none", "--gib", 1], "there is no submission idr0011-none"),
        (["hand-over", "idr0011-none"], "there is no submission idr0011-none"),
    ],
)
def test_what_cannot_be_done_is_reported_and_changes_nothing(node: Node, arguments: list[object], message: str) -> None:
    if arguments[1] == "idr0001-smith":
        node.machine.output_of("mkdir -p /srv/upload/received/idr0001-smith")
    before = node.machine.output_of("cat /etc/passwd; ls -a /srv/upload/submissions")
    done = node.idr_upload(*arguments)
    assert done.returncode != 0
    assert message in done.stderr.decode()
    assert node.machine.output_of("cat /etc/passwd; ls -a /srv/upload/submissions") == before


def test_curators_have_an_account_on_the_node_and_sudo_for_this_program_alone() -> None:
    people = files()["/etc/idr/people"].splitlines()
    assert "bob curator" in people
    rules = [line for line in files()["/etc/sudoers.d/idr-upload"].splitlines() if not line.startswith("#")]
    assert rules == ["%idr-curator ALL=(root) NOPASSWD: /usr/local/sbin/idr-upload"]


def test_a_node_cannot_be_proxy_and_take_uploads() -> None:
    given = stacks.values("local")
    proxy = given["releases"]["demo1"]["nodes"]["proxy"]
    proxy |= {"roles": ["proxy", "upload"], "volumes": {"upload": {"sizeGib": 1}}}
    with pytest.raises(SettingsError, match="2222"):
        plan(parse(given, Source("local", "Pulumi.local.yaml")), "local")
