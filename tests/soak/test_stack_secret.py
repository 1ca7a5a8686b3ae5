"""The stack secret is renewed on running machines: no server is replaced, and the former secret is useless.

Each test continues where the previous one ended.
"""

import hashlib
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from secrets import token_hex

import pytest

from harness.cloud.asking import PING, answers, asking
from harness.cloud.service import Service
from harness.cloud.tenant import Tenant
from harness.steps import Step, lines_of
from model.certificates import Certificate
from model.openssh import SshKey
from model.outputs.ssh import ssh_config
from model.outputs.topology import Topology
from model.secrets import Secrets

pytestmark = pytest.mark.cloud

BASTION = "bastion"
NODES = (BASTION, "demo1-database", "demo1-redis", "demo1-omeroreadwrite", "demo1-proxy")
RELEASE = "demo1"
MOST_SECONDS = 60
"""As for a renewed password: the services that know it restart."""

# Passwords come on standard input, because the process list shows command lines.
ASK_DATABASE = (
    'sudo sh -c \'. /etc/omero-demo-image-server.env; PGPASSWORD=$(cat) psql -XqtAc "select 1" '
    '"host=$DEMO_DB_HOST port=$DEMO_DB_PORT dbname=$DEMO_DB_NAME user={user} connect_timeout=10 '
    "sslmode=verify-full sslrootcert=/etc/idr/ca.crt\"'"
)
ASK_REDIS = "sudo env REDISCLI_AUTH=$(cat) /usr/local/lib/idr/redis/cli --user {user} --no-auth-warning ping 2>&1"


@dataclass(frozen=True)
class Past:
    """Secrets and servers before the renewal."""

    secrets: Secrets
    servers: dict[str, str]


@pytest.fixture(scope="module")
def past(second: Tenant) -> Past:
    return Past(second.secrets(), second.servers())


def key_file(stack: Tenant, key: SshKey) -> str:
    """Write a private key to a file for ssh."""
    file = stack.folder / f"key-{hashlib.sha256(key.public.encode()).hexdigest()[:8]}"
    file.touch(0o600)
    file.write_text(key.private)
    return str(file)


def updated(stack: Tenant, authorities: str) -> tuple[tuple[Step, ...], float]:
    """Update the stack; return the steps, and the seconds without pages for visitors who trust `authorities`."""
    service = stack.service()
    visited = replace(service, outputs={**service.outputs, "certificateAuthority": authorities})
    with asking(visited) as asked:
        steps = stack.apply()
    assert not asked.answers[-1][1], asked.failures
    assert asked.seconds_of_failure <= MOST_SECONDS, asked.failures
    return steps, asked.seconds_of_failure


def entered(stack: Tenant, node: str, key: SshKey, jump: SshKey) -> "subprocess.CompletedProcess[str]":
    """Log in to a node with one key alone, through the bastion with another; by the host keys of the outputs."""
    topology_now = topology(stack.service())
    hosts = {
        BASTION: _blocks(topology_now, key_file(stack, jump))[BASTION],
        node: _blocks(topology_now, key_file(stack, key))[node],
    }
    config = stack.folder / "ssh_config_of_one_key"
    config.write_text(
        "Host *\n  IdentitiesOnly yes\n  IdentityAgent none\n  BatchMode yes\n" + "\n".join(hosts.values())
    )
    return subprocess.run(
        ["ssh", "-F", str(config), node, "true"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def topology(service: Service) -> Topology:
    """Return the nodes in the outputs."""
    return Topology.model_validate(service.outputs["topology"])


def _blocks(stack_topology: Topology, identity: str) -> dict[str, str]:
    """Return the ssh configuration of each node by its name."""
    parts = ssh_config(stack_topology, identity=identity).split("Host ")
    return {part.split(maxsplit=1)[0]: f"Host {part}" for part in parts if part.strip()}


def renew(stack: Tenant) -> None:
    """Renew the secret as the guide describes."""
    stack.set_secret("idr:previousStackSecret", stack.secret("stackSecret"))
    stack.set_secret("idr:stackSecret", token_hex(32))


def test_the_update_trusts_both_and_replaces_no_server(
    second: Tenant, past: Past, record_property: Callable[[str, object], None]
) -> None:
    renew(second)
    steps, seconds = updated(second, second.secrets().authorities)
    record_property("seconds of failed requests: a new stack secret beside the former one", f"{seconds:.1f}")
    assert {(step.op, step.kind) for step in steps} == {("create", "Command"), ("update", "Command")}, lines_of(steps)
    assert {step.name for step in steps if step.op == "create"} == {f"{node}-host-key" for node in NODES}
    assert second.servers() == past.servers


def test_either_deploy_key_opens_every_node_by_its_new_host_key(second: Tenant, past: Past) -> None:
    former, present, _ = second.secrets().deploy_keys()
    assert former == past.secrets.deploy_keys()[0]
    for node in topology(second.service()).nodes:
        assert node.host_key != past.secrets.ssh_key(f"host/{node.name}").public
        for key in (former, present):
            done = entered(second, node.name, key, present)
            assert done.returncode == 0, f"{node.name}: {done.stderr}"


def test_the_same_update_again_does_nothing(second: Tenant) -> None:
    assert second.apply() == ()


def test_without_the_former_secret_the_former_authorities_and_keys_go(
    second: Tenant, past: Past, record_property: Callable[[str, object], None]
) -> None:
    second.configure(idr_previousStackSecret=None)
    steps, seconds = updated(second, second.secrets().authorities)
    record_property("seconds of failed requests: the former stack secret goes", f"{seconds:.1f}")
    assert {(step.op, step.kind) for step in steps} == {("update", "Command"), ("delete", "Command")}, lines_of(steps)
    assert second.servers() == past.servers
    assert second.apply() == ()


@pytest.mark.parametrize("node", NODES)
def test_no_node_lets_the_former_deploy_keys_in(second: Tenant, past: Past, node: str) -> None:
    present = second.secrets().deploy_keys()[0]
    assert entered(second, node, present, present).returncode == 0
    for former in past.secrets.deploy_keys():
        done = entered(second, node, former, present)
        assert (done.returncode, "Permission denied (publickey" in done.stderr) == (255, True), done.stderr


@pytest.mark.parametrize("user", ["omero", "omeroreadonly"])
def test_the_database_refuses_the_former_passwords(second: Tenant, past: Past, user: str) -> None:
    service, name = second.service(), f"{RELEASE}/database/{user}"
    ask = ASK_DATABASE.format(user=user)
    assert service.on("demo1-omeroreadwrite", ask, second.secrets().password(name)) == "1"
    refused = service.try_on("demo1-omeroreadwrite", ask, past.secrets.password(name))
    assert "password authentication failed" in refused.stderr, refused.stdout


@pytest.mark.parametrize(("user", "name"), [("default", "redis"), ("operator", "redis/operator")])
def test_redis_refuses_the_former_passwords(second: Tenant, past: Past, user: str, name: str) -> None:
    service, ask = second.service(), ASK_REDIS.format(user=user)
    assert service.on("demo1-redis", ask, second.secrets().password(f"{RELEASE}/{name}")) == "PONG"
    refused = service.try_on("demo1-redis", ask, past.secrets.password(f"{RELEASE}/{name}"))
    assert "WRONGPASS" in refused.stdout


@pytest.mark.parametrize("node", NODES)
def test_no_node_trusts_the_former_authority(second: Tenant, past: Past, tmp_path: Path, node: str) -> None:
    (tmp_path / "ca.crt").write_text(second.service().on(node, "cat /etc/idr/ca.crt"))
    for secrets, trusted in ((second.secrets(), True), (past.secrets, False)):
        (tmp_path / "node.crt").write_text(secrets.certificate(node, (node,)).certificate)
        command = ["openssl", "verify", "-CAfile", "ca.crt", "node.crt"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert (done.returncode == 0) is trusted, done.stdout + done.stderr


def test_omero_does_not_talk_to_a_database_with_a_certificate_of_before(second: Tenant, past: Past) -> None:
    service, node = second.service(), "demo1-database"
    (address,) = (one.address for one in topology(service).nodes if one.name == node)
    ask, password = ASK_DATABASE.format(user="omero"), second.secrets().password(f"{RELEASE}/database/omero")
    with showing(service, node, past.secrets.certificate(node, (node, address))):
        refused = service.try_on("demo1-omeroreadwrite", ask, password)
    assert "certificate verify failed" in refused.stderr, refused.stdout
    assert service.on("demo1-omeroreadwrite", ask, password) == "1"


@contextmanager
def showing(service: Service, node: str, certificate: Certificate) -> Iterator[None]:
    """Let PostgreSQL show another certificate while the block runs."""
    folder = service.on(node, "echo /etc/postgresql/*/main")
    files = {f"{folder}/server.crt": certificate.certificate, f"{folder}/server.key": certificate.key}
    # The postmaster reads the files some time after the signal.
    reload = "sudo systemctl reload 'postgresql@*-main.service' && sleep 2"
    service.on(node, " && ".join(f"sudo cp -a {file} {file}.kept" for file in files))
    try:
        for file, text in files.items():
            service.on(node, f"sudo tee {file} > /dev/null", text)
        service.on(node, reload)
        yield
    finally:
        service.on(node, " && ".join(f"sudo mv {file}.kept {file}" for file in files))
        service.on(node, reload)


def test_visitors_see_a_certificate_of_the_new_authority_alone(second: Tenant, past: Past) -> None:
    service = second.service()
    for secrets, served in ((second.secrets(), True), (past.secrets, False)):
        trust = ssl.create_default_context(cadata=secrets.authority.certificate)
        with service.browser(trust) as visitor:
            assert answers(visitor, PING) is served
