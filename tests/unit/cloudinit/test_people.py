"""Accounts of people on a machine: created, changed, and removed with their processes. In namespaces of their own."""

import dataclasses
import json
import os
import subprocess
from collections.abc import Iterator
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from cloudinit import render, user_data
from harness import rendered, stacks
from idr.review.disclosed import fingerprint
from model.people import Person, PersonRole
from model.plan import Node, Plan

SCRIPTS = stacks.ROOT / "cloudinit" / "common" / "scripts"


def key(number: int) -> str:
    """Make a public key of this test."""
    return stacks.OPERATOR_KEY.replace("AAAAINb8", f"AAAAINb{number}")


PLAIN = stacks.OPERATOR_KEY
ALICE = Person(name="alice", keys=(key(1), key(2)), role=PersonRole.OPERATOR)
BOB = Person(name="bob", keys=(key(3),), role=PersonRole.CURATOR)
CAROL = Person(name="carol", keys=(key(4),), role=PersonRole.JUMP)
PLAN = dataclasses.replace(stacks.plan_of("local"), people=(ALICE, BOB, CAROL), operators=(PLAIN,))
SECRETS = stacks.secrets_of("local")
NODES = {node.name: node for node in PLAN.nodes}
BASTION, READ_WRITE, OTHER = NODES["bastion"], NODES["demo1-omeroreadwrite"], NODES["demo1-redis"]
KEYS = "/etc/ssh/authorized_keys"
STEPS = "/usr/local/lib/idr/common"

# The account files are copies, and outside processes are invisible: nothing of this machine changes.
# Without /run nobody reaches its systemd. The shell is the first process, and reaps those that end.
SETUP = f"""
mount -t tmpfs tmpfs /mnt && cp -a /etc /mnt/etc && mkdir /mnt/home /mnt/root /mnt/spool /mnt/lib
for folder in etc home root; do mount --bind /mnt/$folder /$folder; done
mount --bind /mnt/spool /var/spool && mount --bind /mnt/lib /usr/local/lib && mount -t tmpfs tmpfs /run
mkdir -p /usr/local/lib/idr/common /run/journal {KEYS} /etc/idr && mount --bind {SCRIPTS} /usr/local/lib/idr/common
echo ready; cat; true
"""
# The machine's journal, by the process that wrote each line.
JOURNALCTL = """#!/bin/bash
for last; do :; done
cat "/run/journal/${last#_PID=}" 2> /dev/null
"""
STUBS = {"loginctl": '#!/bin/sh\necho "$*" >> /run/loginctl\nexit 1\n', "systemctl": "#!/bin/sh\nexit 1\n"}
ACCEPTED = "Accepted publickey for {} from 10.130.0.10 port 50000 ssh2: ED25519 {}"


class Machine:
    """A machine with its own processes, accounts and homes."""

    def __init__(self, process: int, folder: Path) -> None:
        self.process, self.folder = process, folder

    def run(self, command: str) -> "subprocess.CompletedProcess[str]":
        """Run a command as root; the caller checks its exit status."""
        enter = ["nsenter", "--target", str(self.process), "--mount", "--pid", "env", "-i"]
        path = f"PATH={self.folder}:/usr/sbin:/usr/bin:/sbin:/bin"
        return subprocess.run(
            [*enter, path, "bash", "-c", command], capture_output=True, text=True, check=False, timeout=60
        )

    def output_of(self, command: str) -> str:
        """Return the output of a command that must succeed."""
        done = self.run(command)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()

    def has(self, *people: str) -> None:
        """Run the step `people` with this table."""
        lines = "\n".join(("# name and role", *people))
        self.output_of(f"echo '{lines}' > /etc/idr/people && {STEPS}/people")

    def account(self, name: str) -> list[str]:
        """Return groups, home and shell of an account; empty if it does not exist."""
        groups = self.run(f"id -nG {name}").stdout.split()
        return groups and [*groups, *self.output_of(f"getent passwd {name} | cut -d : -f 6,7").split(":")]

    def begins(self, account: str, command: str = "exec sleep 600") -> int:
        """Start a process of an account that only SIGKILL ends; return its id in the machine."""
        user = f"setpriv --reuid {account} --regid {account} --clear-groups"
        start = f"{user} setsid bash -c 'trap \"\" HUP TERM; {command}' > /dev/null 2>&1 &"
        begun = 'until [ "$(ps -o comm= -p $!)" = sleep ]; do sleep 0.02; done; echo $!'
        return int(self.output_of(f"{start} {begun}"))

    def connects(self, account: str, key: str | None) -> tuple[int, int]:
        """Start a process like a connection to sshd opened with a key, and a process in it."""
        process = self.begins("root", f'sleep 600 & exec -a "sshd: {account} [priv]" sleep 600')
        if key:
            line = ACCEPTED.format(account, fingerprint(key))
            self.output_of(f"echo '{line}' > /run/journal/{process}")
        child = self.output_of(f"until pgrep --parent {process}; do sleep 0.05; done")
        return process, int(child)

    def is_alive(self, process: int) -> bool:
        """Return whether a process runs."""
        return self.run(f"ps -o stat= -p {process} | grep -q '^[^Z]'").returncode == 0


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    if os.geteuid() != 0:
        pytest.skip("a machine of its own needs root: mounts and users")
    folder = tmp_path_factory.mktemp("bin")
    for name, text in {**STUBS, "journalctl": JOURNALCTL}.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    namespaces = ["unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--mount-proc"]
    held = subprocess.Popen([*namespaces, "bash", "-ec", SETUP], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert held.stdin
    assert held.stdout
    try:
        assert held.stdout.readline() == b"ready\n"
        children = Path(f"/proc/{held.pid}/task/{held.pid}/children").read_text().split()
        yield Machine(int(children[0]), folder)
    finally:
        held.stdin.close()
        held.wait()
        held.stdout.close()


@pytest.fixture
def empty(machine: Machine) -> Machine:
    """Return the machine without people."""
    machine.has()
    return machine


def test_each_role_has_the_account_that_it_needs(empty: Machine) -> None:
    empty.has("alice operator", "bob curator", "carol jump")
    assert empty.account("alice") == ["alice", "idr-operator", "/home/alice", "/bin/bash"]
    assert empty.account("bob") == ["bob", "idr-curator", "/home/bob", "/bin/bash"]
    assert empty.account("carol") == ["carol", "idr-jump", "/nonexistent", "/usr/sbin/nologin"]
    assert empty.output_of("stat -c '%U %a' /home/*").splitlines() == ["alice 700", "bob 700"]


def test_who_stays_notices_nothing(empty: Machine) -> None:
    empty.has("alice operator", "carol jump")
    process, accounts = empty.begins("alice"), "cat /etc/passwd /etc/shadow /etc/group"
    before = empty.output_of(accounts)
    empty.has("alice operator", "carol jump")
    assert empty.output_of(accounts) == before
    assert empty.is_alive(process)


def test_of_who_leaves_nothing_remains(empty: Machine) -> None:
    empty.has("alice operator", "bob curator")
    left, others = empty.begins("bob"), empty.begins("alice")
    empty.output_of("mkdir -p /var/spool/cron/crontabs && echo '@reboot true' > /var/spool/cron/crontabs/bob")
    empty.has("alice operator")
    assert (empty.account("bob"), empty.is_alive(left), empty.is_alive(others)) == ([], False, True)
    assert empty.output_of("ls /home /var/spool/cron/crontabs").split() == [
        "/home:",
        "alice",
        "/var/spool/cron/crontabs:",
    ]
    # Also the root processes of these sessions.
    assert empty.output_of("tail -n 1 /run/loginctl") == "kill-user --signal=KILL bob"


def test_who_gets_another_role_begins_anew(empty: Machine) -> None:
    empty.has("alice operator")
    process = empty.begins("alice")
    empty.output_of("echo secret > /home/alice/copied-as-root")
    empty.has("alice curator")
    assert empty.account("alice")[:2] == ["alice", "idr-curator"]
    assert (empty.is_alive(process), empty.output_of("ls /home/alice")) == (False, "")
    empty.has("alice jump")
    assert empty.account("alice")[1:] == ["idr-jump", "/nonexistent", "/usr/sbin/nologin"]
    assert empty.output_of("ls /home") == ""


def test_an_account_of_the_machines_own_is_nobodys(empty: Machine) -> None:
    before = empty.account("daemon")
    done = empty.run(f"echo 'daemon operator' > /etc/idr/people && {STEPS}/people")
    assert (done.returncode, "this machine has an account daemon" in done.stderr) == (1, True), done.stderr
    assert empty.account("daemon") == before != []


def test_a_connection_ends_with_its_key_and_no_other_does(empty: Machine) -> None:
    empty.has("alice operator")
    keys = rendered.files(OTHER, PLAN, SECRETS)
    for name in ("idr", "alice"):
        empty.output_of(f"cat > {KEYS}/{name} <<'END'\n{keys[f'{KEYS}/{name}']}END")
    deploy = SECRETS.deploy_keys()[0].public
    stay = [*empty.connects("idr", deploy), *empty.connects("idr", PLAIN), *empty.connects("idr", None)]
    stay += empty.connects("alice", ALICE.keys[0])
    end = [*empty.connects("idr", CAROL.keys[0]), *empty.connects("alice", deploy), *empty.connects("jump", deploy)]
    output = empty.output_of(f"{STEPS}/former-keys").splitlines()
    assert [line.split(" is ended")[0] for line in output] == [
        f"a connection of {name}" for name in ("idr", "alice", "jump")
    ]
    assert [empty.is_alive(process) for process in stay] == [True] * len(stay)
    assert [empty.is_alive(process) for process in end] == [False] * len(end)


def test_keys_in_homes_are_deleted_and_links_are_not_followed(empty: Machine) -> None:
    empty.has("alice operator", "bob curator")
    empty.output_of(
        "mkdir -p ~alice/.ssh ~root/.ssh /run/elsewhere && ln -s /run/elsewhere ~bob/.ssh && "
        "touch ~alice/.ssh/{authorized_keys,authorized_keys2,config} ~root/.ssh/authorized_keys "
        "/run/elsewhere/authorized_keys"
    )
    empty.output_of(f"{STEPS}/former-keys")
    paths = empty.output_of(
        "find /home /root /run/elsewhere ! -type d -path '*/.ssh/*' -o -name 'authorized_keys*'"
    ).split()
    assert sorted(paths) == ["/home/alice/.ssh/config", "/run/elsewhere/authorized_keys"]


def files(node: Node, plan: Plan = PLAN) -> dict[str, str]:
    return rendered.files(node, plan, SECRETS)


@pytest.mark.parametrize(
    ("node", "people"),
    [
        (BASTION, ["alice operator", "bob jump", "carol jump"]),
        (READ_WRITE, ["alice operator", "bob curator"]),
        (OTHER, ["alice operator"]),
    ],
    ids=["bastion", "read-write", "another"],
)
def test_people_have_accounts_where_their_role_reaches(node: Node, people: list[str]) -> None:
    by_path = files(node)
    names = [line.split()[0] for line in people]
    assert [line for line in by_path["/etc/idr/people"].splitlines() if not line.startswith("#")] == people
    assert f"\nAllowUsers {' '.join(['idr', *names])}\n" in by_path["/etc/ssh/sshd_config.d/10-idr.conf"]
    known = {path.removeprefix(f"{KEYS}/") for path in by_path if path.startswith(KEYS)} - {"idr", "jump"}
    assert known == set(names)
    assert ALICE.keys[0] in by_path[f"{KEYS}/alice"].splitlines()
    assert PLAIN in by_path[f"{KEYS}/idr"]
    assert not any(one in by_path[f"{KEYS}/idr"] for person in PLAN.people for one in person.keys)


def test_who_only_jumps_gets_no_session() -> None:
    text = files(BASTION)["/etc/ssh/sshd_config.d/20-idr-bastion.conf"]
    assert "\nMatch User jump,bob,carol\n  MaxSessions 0\n" in text
    without = files(BASTION, dataclasses.replace(PLAN, people=()))["/etc/ssh/sshd_config.d/20-idr-bastion.conf"]
    assert "\nMatch User jump\n  MaxSessions 0\n" in without


def test_sshd_reads_keys_that_only_root_can_change() -> None:
    for node in PLAN.nodes:
        bundle = json.loads(render.bundle(node, PLAN, SECRETS, {v.purpose: "0" * 36 for v in node.volumes}))
        entries = {entry["path"]: entry for entry in bundle["files"]}
        assert f"\nAuthorizedKeysFile {KEYS}/%u\n" in entries["/etc/ssh/sshd_config.d/10-idr.conf"]["content"]
        for path, entry in entries.items():
            if path.startswith(KEYS):
                assert (entry["owner"], entry["mode"]) == ("root", "0644"), path
            assert "/.ssh/" not in path


def test_the_deployments_key_works_from_where_the_deployment_connects_alone() -> None:
    deploy = SECRETS.deploy_keys()[0].public
    for node in PLAN.nodes:
        if node != BASTION:
            assert f'\nfrom="{BASTION.address}" {deploy} idr-deploy\n' in files(node)[f"{KEYS}/idr"]
    # From anywhere: the stack `local` has no `sshFrom`.
    assert f"\n{deploy} idr-deploy\n" in files(BASTION)[f"{KEYS}/idr"]
    networks = (IPv4Network("192.0.2.0/24"), IPv4Network("198.51.100.7/32"))
    narrow = stacks.with_settings(PLAN, ssh_from=networks)
    assert f'\nfrom="192.0.2.0/24,198.51.100.7/32" {deploy} idr-deploy\n' in files(BASTION, narrow)[f"{KEYS}/idr"]


def test_a_new_machine_lets_nobody_but_operators_in() -> None:
    for plan in (PLAN, stacks.with_settings(PLAN, configure=False)):
        for node in plan.nodes:
            text = user_data.bootstrap(node, plan, SECRETS)
            assert [one in text for one in (PLAIN, *ALICE.keys, *BOB.keys, *CAROL.keys)] == [*[True] * 3, False, False]


def test_without_people_no_server_is_created_differently() -> None:
    before = dataclasses.replace(PLAN, people=())
    for node in before.nodes:
        bootstrap = user_data.bootstrap(node, before, SECRETS)
        curators = dataclasses.replace(PLAN, people=(BOB, CAROL))
        assert user_data.bootstrap(node, curators, SECRETS) == bootstrap
