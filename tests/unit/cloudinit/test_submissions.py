"""Curators and operators manage submissions: quota, hand-over, end, and the accounts of a replaced server."""

import os
import subprocess
from collections.abc import Iterator

import pytest

from harness import stacks
from model.planning import plan
from model.reading import SettingsError, Source, parse
from tests.unit.cloudinit.upload_node import CLIENT_OPTIONS, STEPS, Node, as_unit, files, running, wait

pytestmark = [
    pytest.mark.long,
    pytest.mark.needs("sshd", "sftp", "unshare", "setpriv"),
    pytest.mark.skipif(os.geteuid() != 0, reason="accounts in a mount namespace need root"),
]


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with running(tmp_path_factory.mktemp("client")) as node:
        yield node


def test_more_than_the_quota_ends_the_upload_and_more_quota_lets_it_go_on(node: Node) -> None:
    big = node.folder / "huge.tif"
    big.write_bytes(b"")
    os.truncate(big, 0)
    password = node.opened("idr0007-huge", "--gib", 1)
    # The tool counts in GiB; the watch reads the record, where a few bytes suffice.
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
    command = ["sftp", *CLIENT_OPTIONS, "-P", str(node.port), "upload-idr0008-slow@127.0.0.1"]
    with subprocess.Popen(
        command, env=node.answering(password), stdin=subprocess.PIPE,
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
    """By renaming, a submitter can make a tree deeper than any path is long."""
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


def test_what_is_being_handed_over_is_not_deleted_nor_handed_over_again(node: Node) -> None:
    """The sums of terabytes take hours."""
    node.opened("idr0014-long", "--gib", 1)
    node.machine.output_of("echo tif > /srv/upload/open/upload-idr0014-long/incoming/a.tif; mkfifo /srv/go")
    slow = "#!/bin/sh\ntouch /srv/looking; cat /srv/go"
    node.machine.output_of(f"printf '{slow}' > /usr/local/bin/clamscan; chmod 755 /usr/local/bin/clamscan")
    first = node.start("idr-upload hand-over idr0014-long")
    wait(lambda: not node.machine.run("test -e /srv/looking").returncode)
    for command in ("delete", "hand-over"):
        done = node.idr_upload(command, "idr0014-long")
        assert (done.returncode, b"somebody is handing over or deleting" in done.stderr) == (1, True), done
    node.machine.output_of("echo > /srv/go; rm /usr/local/bin/clamscan")
    assert first.wait(20) == 0
    assert node.machine.output_of("cat /srv/upload/received/idr0014-long/a.tif") == "tif\n"
    assert node.idr_upload("delete", "idr0014-long").returncode == 1


def test_a_replaced_server_has_the_accounts_again(node: Node) -> None:
    (node.folder / "about.txt").write_text("about\n")
    password = node.opened("idr0010-kept", "--gib", 1)
    before = node.machine.output_of("id -u upload-idr0010-kept")
    node.machine.output_of("userdel upload-idr0010-kept && rm -r /etc/idr/upload/keys")
    assert node.sftp("idr0010-kept", "pwd\n", password)[0] == 255
    for step in STEPS:
        node.machine.output_of(f"/usr/local/lib/idr/upload/{step}")
    assert node.machine.output_of("id -u upload-idr0010-kept") == before
    assert node.sftp("idr0010-kept", "put about.txt\n", password)[0] == 0


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


def test_who_forgets_sudo_is_told(node: Node) -> None:
    done = node.machine.run("setpriv --reuid=65534 --clear-groups idr-upload list")
    message = "error: submissions are root's: type `sudo` before the command\n"
    assert (done.returncode, done.stderr.decode()) == (1, message)
