"""People with accounts of their own on running machines: each can do what the role allows, until they are removed.

Each test continues where the previous one ended.
"""

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from harness.cloud.tenant import Tenant
from harness.steps import lines_of
from model.outputs.ssh import ssh_config
from model.outputs.topology import NodeView, Topology

pytestmark = pytest.mark.cloud

BASTION, READ_WRITE, OTHER = "bastion", "demo1-omeroreadwrite", "demo1-redis"
PEOPLE = {"alice": "operator", "bob": "curator", "carol": "jump"}
PLAIN = "plain"
"""A person whose key has no name, and who logs in to the account `idr`."""
REFUSED = "Permission denied (publickey"
END_SECONDS = 30

Done = subprocess.CompletedProcess[str]


class Visit:
    """The running tenant, and the keys of people, by their names."""

    def __init__(self, stack: Tenant, folder: Path) -> None:
        self.stack, self.folder = stack, folder
        for name in (*PEOPLE, PLAIN, "added"):
            command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(folder / name)]
            subprocess.run(command, check=True)

    def public(self, name: str) -> str:
        """Return a public key."""
        return (self.folder / f"{name}.pub").read_text().strip()

    def person(self, name: str, role: str) -> dict[str, Any]:
        """Return an entry of `idr:operators`."""
        return {"name": name, "keys": [self.public(name)], "role": role}

    @cached_property
    def topology(self) -> Topology:
        """Return the nodes in the outputs."""
        return Topology.model_validate(self.stack.service().outputs["topology"])

    def ssh(self, account: str, key: str) -> list[str]:
        """Return a command line of ssh, without the node, for an account and one key alone, on every hop."""
        topology = self.topology.as_account(account)
        config = self.folder / f"config-{account}-{key}"
        alone = "Host *\n  IdentitiesOnly yes\n  IdentityAgent none\n  BatchMode yes\n"
        config.write_text(alone + ssh_config(topology, identity=str(self.folder / key)))
        return ["ssh", "-F", str(config)]

    def enters(self, node: str, account: str, command: str, key: str | None = None) -> Done:
        """Run a command on a node as an account; the caller checks its exit status."""
        line = [*self.ssh(account, key or account), node, command]
        return subprocess.run(line, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=120)

    def stays(self, node: str, account: str, key: str | None = None) -> "subprocess.Popen[str]":
        """Log in and stay."""
        return _begun([*self.ssh(account, key or account), node, "echo inside; exec sleep 3600"], "inside")

    def jumps(self, node: NodeView, account: str) -> "subprocess.Popen[str]":
        """Let the bastion pass on a connection to a node's sshd."""
        return _begun([*self.ssh(account, account), "-W", f"{node.address}:22", BASTION], "SSH-2.0")

    def nodes(self) -> list[NodeView]:
        """Return all nodes."""
        return list(self.topology.nodes)


def _begun(line: list[str], first: str) -> "subprocess.Popen[str]":
    begun = subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert begun.stdout
    assert begun.stdout.readline().startswith(first), line
    return begun


def is_refused(done: Done) -> bool:
    return done.returncode == 255 and REFUSED in done.stderr


@pytest.fixture(scope="module")
def visit(second: Tenant, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visit]:
    before = second.settings("operators")
    yield Visit(second, tmp_path_factory.mktemp("people"))
    second.configure(idr_operators=before)


def test_people_are_added_without_a_new_server(visit: Visit) -> None:
    servers = visit.stack.servers()
    people = [visit.person(name, role) for name, role in PEOPLE.items()]
    visit.stack.configure(idr_operators=[visit.public(PLAIN), *people])
    steps = visit.stack.apply()
    assert {(step.op, step.kind) for step in steps} == {("update", "Command")}, lines_of(steps)
    assert visit.stack.servers() == servers
    assert visit.stack.apply() == ()


def test_an_operator_is_root_on_every_node_under_a_name_of_their_own(visit: Visit) -> None:
    for node in visit.nodes():
        done = visit.enters(node.name, "alice", "id -un && sudo -n id -un")
        assert done.stdout.split() == ["alice", "root"], f"{node.name}: {done.stderr}"


def test_a_curator_may_only_import_and_only_on_the_read_write_node(visit: Visit) -> None:
    assert visit.enters(READ_WRITE, "bob", "id -un").stdout == "bob\n"
    listed = visit.enters(READ_WRITE, "bob", "sudo -n -l").stdout
    allowed = listed.partition("may run the following commands")[2].splitlines()[1:]
    assert [line.strip() for line in allowed] == [
        "(omero-import) NOPASSWD: /usr/local/bin/omero-import, /usr/local/bin/idr-import"
    ], listed
    for user in ("root", "idr", "omero-server", "postgres"):
        assert visit.enters(READ_WRITE, "bob", f"sudo -n -u {user} true").returncode == 1, user
    for secret in ("/etc/idr/node.env", "/etc/idr/server.key", "/var/lib/idr/bundle.json"):
        assert visit.enters(READ_WRITE, "bob", f"cat {secret}").returncode == 1, secret
    for node in visit.nodes():
        if node.name not in (READ_WRITE, BASTION):
            assert is_refused(visit.enters(node.name, "bob", "true")), node.name


@pytest.mark.parametrize("name", ["bob", "carol"])
def test_on_the_bastion_only_operators_have_a_session(visit: Visit, name: str) -> None:
    done = visit.enters(BASTION, name, "id -un")
    assert (done.returncode, done.stdout) == (255, ""), done.stderr
    effective = visit.stack.service().on(BASTION, f"sudo sshd -T -C user={name},host=localhost,addr=127.0.0.1")
    assert {"maxsessions 0", "permittty no", "allowtcpforwarding local"} <= set(effective.splitlines())


def test_who_may_only_jump_has_an_account_nowhere_else(visit: Visit) -> None:
    for node in visit.nodes():
        if node.name != BASTION:
            with visit.jumps(node, "carol") as passed_on:
                passed_on.kill()
            assert is_refused(visit.enters(node.name, "carol", "true")), node.name


@pytest.mark.parametrize("name", PEOPLE)
def test_the_key_of_a_person_opens_no_other_account(visit: Visit, name: str) -> None:
    others = {"idr", "jump", *PEOPLE} - {name}
    assert [account for account in others if not is_refused(visit.enters(BASTION, account, "true", name))] == []


def test_nobody_adds_keys_for_themselves(visit: Visit) -> None:
    added = visit.public("added")
    for account in ("alice", "idr"):
        files = "~/.ssh/authorized_keys ~/.ssh/authorized_keys2"
        write = f"mkdir -p -m 700 ~/.ssh && echo '{added}' | tee {files} > /dev/null"
        assert visit.enters(OTHER, account, write, PLAIN if account == "idr" else account).returncode == 0
    # Through the bastion as a person who may use it.
    topology = visit.topology.as_account("alice")
    blocks = ssh_config(topology, identity=str(visit.folder / "alice"))
    for account in ("alice", "idr"):
        config = visit.folder / "config-added"
        config.write_text(f"Host {OTHER}\n  User {account}\n  IdentityFile {visit.folder / 'added'}\n{blocks}")
        line = ["ssh", "-v", "-F", str(config), "-o", "BatchMode=yes", "-o", "IdentityAgent=none", OTHER, "true"]
        done = subprocess.run(line, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=120)
        assert f"Offering public key: {visit.folder / 'added'}" in done.stderr
        assert f"Server accepts key: {visit.folder / 'added'}" not in done.stderr


def test_the_deployments_key_works_through_the_bastion_alone(visit: Visit) -> None:
    service = visit.stack.service()
    (address,) = (node.address for node in visit.nodes() if node.name == OTHER)
    inside = (
        "folder=$(mktemp -d) && trap 'rm -r $folder' EXIT && umask 077 && cat > $folder/key && ssh -i $folder/key "
        "-o BatchMode=yes -o IdentitiesOnly=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null "
        f"idr@{address} true"
    )
    refused = service.try_on(OTHER, inside, visit.stack.secrets().deploy_keys()[0].private)
    assert is_refused(refused), refused.stderr
    # sshd refuses the key, not the connection.
    assert service.try_on(OTHER, inside, (visit.folder / PLAIN).read_text()).returncode == 0


def test_who_gets_another_role_is_sent_away_and_has_that_role(visit: Visit) -> None:
    roles = {"alice": "operator", "bob": "operator", "carol": "jump"}
    people = [visit.person(name, role) for name, role in roles.items()]
    with ExitStack() as kept:
        curator, operator = (kept.enter_context(visit.stays(READ_WRITE, name)) for name in ("bob", "alice"))
        for process in (curator, operator):
            kept.callback(process.kill)
        visit.stack.configure(idr_operators=[visit.public(PLAIN), *people])
        visit.stack.apply()
        assert curator.wait(END_SECONDS) == 255
        assert operator.poll() is None
    assert visit.enters(OTHER, "bob", "sudo -n id -un").stdout == "root\n"


def test_who_is_removed_is_gone_everywhere(visit: Visit) -> None:
    nodes = {node.name: node for node in visit.nodes()}
    begun = {
        "a person's session": visit.stays(OTHER, "alice"),
        "a session on the bastion": visit.stays(BASTION, "bob"),
        "what the bastion passes on": visit.jumps(nodes[OTHER], "carol"),
        "the session of a key without a name": visit.stays(OTHER, "idr", PLAIN),
    }
    servers = visit.stack.servers()
    visit.stack.configure(idr_operators=[])
    steps = visit.stack.apply()
    assert {(step.op, step.kind) for step in steps} == {("update", "Command")}, lines_of(steps)
    for what, process in begun.items():
        try:
            assert process.wait(END_SECONDS) != 0, what
        except subprocess.TimeoutExpired:
            pytest.fail(f"{what} goes on")
        finally:
            process.kill()
            process.communicate()
    assert visit.stack.servers() == servers


@pytest.mark.parametrize("node", [BASTION, READ_WRITE, OTHER])
def test_nothing_of_who_was_removed_remains(visit: Visit, node: str) -> None:
    service = visit.stack.service()
    for account in (*PEOPLE, "idr"):
        assert is_refused(visit.enters(node, account, "true", PLAIN if account == "idr" else account)), account
    names = " ".join(PEOPLE)
    assert service.try_on(node, f"for name in {names}; do ! id $name 2> /dev/null || exit 1; done").returncode == 0
    assert service.on(node, "sudo ls /home") == "idr"
    keys = service.on(node, "sudo find /etc/ssh /home /root -name 'authorized_keys*' ! -type d").split()
    assert keys == []
    keys = service.on(node, "ls /etc/ssh/authorized_keys").split()
    assert keys == (["idr", "jump"] if node == BASTION else ["idr"])
    accepted = service.on(node, "cat /etc/ssh/authorized_keys/*")
    assert not any(visit.public(name).split()[1] in accepted for name in (*PEOPLE, PLAIN, "added"))
