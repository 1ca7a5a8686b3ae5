"""Bootstraps and bundles: small, the same bytes everywhere, and valid for the tools that read them."""

import base64
import dataclasses
import hashlib
import json
import os
import re
import subprocess
import sys

import pytest
import yaml

from cloudinit import render, user_data
from dev import check
from harness import stacks
from model.people import ADMIN_USER
from model.plan import Node
from model.role_description import FOLDER

PLAN = stacks.plan_of("local")
SECRETS = stacks.secrets_of("local")
VOLUMES = {"db": "0123456789abcdef01234567", "data": "89abcdef012345670123", "nginxcache": "fedcba98765432100123"}
NODES = {node.name: node for node in PLAN.nodes}


def files(node: Node) -> dict[str, dict[str, str]]:
    bundle = json.loads(render.bundle(node, PLAN, SECRETS, VOLUMES))
    return {entry["path"]: entry for entry in bundle["files"]}


def given() -> str:
    """Return the rendered files of all machines."""
    bundles = (render.bundle(node, PLAN, SECRETS, VOLUMES) for node in PLAN.nodes)
    return "\n".join([*(user_data.bootstrap(node, PLAN, SECRETS) for node in PLAN.nodes), *bundles])


def bootstraps() -> str:
    """Return the bootstraps of every stack file."""
    plans = [(stacks.plan_of(name), stacks.secrets_of(name)) for name in stacks.LAYOUTS]
    return "\n".join(user_data.bootstrap(node, plan, secrets) for plan, secrets in plans for node in plan.nodes)


def test_with_and_without_libyaml_the_bootstraps_are_the_same() -> None:
    code = (
        "import yaml; del yaml.CSafeDumper\n"
        "from tests.unit.cloudinit.test_render import bootstraps; print(bootstraps(), end='')"
    )
    text = subprocess.run(
        [sys.executable, "-c", code], cwd=stacks.ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert hasattr(yaml, "CSafeDumper")
    assert text == bootstraps()


@pytest.mark.parametrize("name", NODES)
def test_the_bootstrap_is_cloud_config_well_under_novas_limit(name: str) -> None:
    text = user_data.bootstrap(NODES[name], PLAN, SECRETS)
    assert text.startswith("#cloud-config\n")
    assert yaml.safe_load(text)["hostname"] == name
    assert len(base64.b64encode(text.encode())) < user_data.LARGEST_USER_DATA


@pytest.mark.parametrize("name", NODES)
def test_the_bootstrap_holds_no_peer_and_no_password(name: str) -> None:
    text = user_data.bootstrap(NODES[name], PLAN, SECRETS)
    assert not [node.name for node in PLAN.nodes if node.name != name and node.name in text]
    assert not [str(node.address) for node in PLAN.nodes if str(node.address) in text]
    assert SECRETS.password("demo1/redis") not in text


def test_bytes_are_equal_in_processes_with_different_hash_seeds() -> None:
    code = "from tests.unit.cloudinit.test_render import given; print(given(), end='')"
    text = subprocess.run(
        [sys.executable, "-c", code],
        cwd=stacks.ROOT,
        # This process has another, random seed.
        env={**os.environ, "PYTHONHASHSEED": "1"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert text == given()
    assert len(text) > 10_000


@pytest.mark.parametrize("name", NODES)
def test_files_with_something_secret_are_readable_by_their_service_only(name: str) -> None:
    secret = [
        SECRETS.password("demo1/redis"),
        SECRETS.password("demo1/database/omero"),
        "PRIVATE KEY",
    ]
    for path, entry in files(NODES[name]).items():
        if any(value in entry["content"] for value in secret):
            assert entry["mode"][-1] == "0", path


def test_only_this_releases_omero_nodes_may_log_in_to_the_database() -> None:
    lines = files(NODES["demo1-database"])["/etc/postgresql/15/main/pg_hba.conf"]["content"].splitlines()
    assert [line.split()[0:4] for line in lines if line.startswith("host")] == [
        ["hostssl", "idr", "omero,omeroreadonly", "10.130.1.40/32"]
    ]


def test_connections_cover_every_servers_pool() -> None:
    plan = stacks.plan_of("ebi")
    database = next(node for node in plan.nodes if node.alias == "database")
    bundle = json.loads(render.bundle(database, plan, SECRETS, VOLUMES))
    text = next(e["content"] for e in bundle["files"] if e["path"].endswith("postgresql.conf"))
    assert "max_connections = 150\n" in text


def test_every_step_is_among_the_scripts_that_make_check_gives_to_shellcheck() -> None:
    steps = {str(path.relative_to(stacks.ROOT)) for path in (stacks.ROOT / "cloudinit").glob("*/scripts/*")}
    assert steps
    assert steps - set(check.shell_scripts()) == set()


def test_a_password_that_begins_with_a_dash_is_no_option_to_omero() -> None:
    for plan in (PLAN, stacks.plan_of("ebi")):
        for node in plan.nodes:
            bundle = json.loads(render.bundle(node, plan, SECRETS, VOLUMES))
            settings = [entry["content"] for entry in bundle["files"] if entry["path"].endswith(".omero")]
            lines = [line.split() for text in settings for line in text.splitlines()]
            assert [line for line in lines if line[-2:-1] and ".pass" in line[-2] and line[2] != "--"] == []


@pytest.mark.skipif(os.geteuid() != 0, reason="nft reads rules as root in a network namespace of its own")
@pytest.mark.parametrize("stack", stacks.STACK_FILES)
def test_nft_accepts_every_nodes_firewall(stack: str) -> None:
    plan, secrets = stacks.plan_of(stack), stacks.secrets_of(stack)
    for node in plan.nodes:
        bundle = json.loads(render.bundle(node, plan, secrets, VOLUMES))
        text = next(entry["content"] for entry in bundle["files"] if entry["path"] == "/etc/nftables.conf")
        done = subprocess.run(
            ["unshare", "--net", "nft", "--check", "--file", "-"],
            input=text,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{node.name}: {done.stderr}"


@pytest.mark.parametrize("name", [name for name in NODES if name != "bastion"])
def test_every_host_firewall_lets_the_bastions_ssh_in_and_nobody_elses(name: str) -> None:
    text = files(NODES[name])["/etc/nftables.conf"]["content"]
    assert [
        line.strip().split(" comment")[0] for line in text.splitlines() if "saddr" in line and "dport 22 " in line
    ] == [f"ip saddr {{ {PLAN.bastion_node.address}/32 }} tcp dport 22 accept"]


def test_the_jump_account_gets_no_session() -> None:
    text = files(NODES["bastion"])["/etc/ssh/sshd_config.d/20-idr-bastion.conf"]["content"]
    assert "PermitOpen *:22 *:9000 \n" in text
    assert text.index("Match User jump") < text.index("MaxSessions 0")


def test_redis_is_given_hashes_of_passwords_only() -> None:
    acl = files(NODES["demo1-redis"])["/etc/redis/users.acl"]["content"]
    assert hashlib.sha256(SECRETS.password("demo1/redis").encode()).hexdigest() in acl
    assert SECRETS.password("demo1/redis") not in acl


@pytest.mark.parametrize("name", NODES)
def test_the_configurations_packages_are_the_bootstraps(name: str) -> None:
    node = NODES[name]
    env = files(node)["/etc/idr/node.env"]["content"]
    assert f'PACKAGES="{" ".join(node.packages)}"' in env
    needed = {"chrony", "needrestart", "nftables", "prometheus-node-exporter", "unattended-upgrades"}
    assert needed <= set(node.packages)


def test_only_services_that_visitors_do_not_notice_restart_after_an_upgrade() -> None:
    settings = files(NODES["demo1-database"])["/etc/needrestart/conf.d/idr.conf"]["content"]
    assert "$nrconf{restart} = 'a';\n$nrconf{defno} = 1;\n" in settings
    (pattern,) = re.findall(r"qr\((.+)\) => 1", settings)
    watched = {path.name.removeprefix("watch-") for path in FOLDER.glob("*/scripts/watch-*")}
    allowed = {unit for unit in watched if re.search(pattern, f"{unit.replace('@', '@15-main')}.service")}
    assert allowed == {"chrony", "prometheus-node-exporter", "ssh"}
    # Settings that load other users' files as root stay off.
    assert "$nrconf{interpscan} = 0;" in settings


def test_an_operator_can_log_in_to_a_machine_whose_configuration_was_never_applied() -> None:
    plan = dataclasses.replace(stacks.plan_of("ebi"), operators=(stacks.OPERATOR_KEY,))
    for node in plan.nodes:
        (user,) = yaml.safe_load(user_data.bootstrap(node, plan, stacks.secrets_of("ebi")))["users"]
        assert user["name"] == ADMIN_USER
        assert stacks.OPERATOR_KEY in user["ssh_authorized_keys"]


def test_where_another_tool_configures_the_bootstrap_lets_the_operators_in_and_installs_nothing() -> None:
    key = stacks.OPERATOR_KEY
    plan = stacks.with_settings(dataclasses.replace(stacks.plan_of("ebi"), operators=(key,)), configure=False)
    for node in plan.nodes:
        document = yaml.safe_load(user_data.bootstrap(node, plan, SECRETS))
        default, account = document["users"]
        assert (default, document["ssh_authorized_keys"]) == ("default", [key])
        assert (account["name"], account["ssh_authorized_keys"]) == ("idr", [key])
        assert account["sudo"] == "ALL=(ALL) NOPASSWD:ALL"
        assert document["ssh_keys"]["ed25519_public"] == SECRETS.ssh_key(f"host/{node.name}").public
        assert not {"packages", "write_files", "runcmd", "apt"} & set(document)
