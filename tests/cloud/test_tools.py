"""Other tools that use the stack's outputs, on the running service; they change nothing."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.cloud import tenant
from harness.cloud.service import Service
from harness.cloud.tenant import Tenant
from harness.stacks import ROOT

pytestmark = pytest.mark.cloud

IDR = str(ROOT / "bin" / "idr")
PLAYBOOK = Path(__file__).parent / "playbooks" / "volumes.yml"


@pytest.fixture(scope="module")
def outputs(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the output of `pulumi stack output --json` to a file."""
    file = tmp_path_factory.mktemp("outputs") / "outputs.json"
    file.write_text(json.dumps(service.outputs))
    return file


@pytest.fixture(scope="module")
def inventory(outputs: Path) -> Path:
    """Write an inventory script for Ansible that has the outputs alone: no engine, no state, no stack file."""
    script = outputs.with_name("inventory")
    script.write_text(f'#!/bin/sh\nexec {IDR} inventory --from {outputs} "$@"\n')
    script.chmod(0o755)
    return script


def run(*command: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a command that must not read the user's own host keys or configuration."""
    return subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env={**os.environ, **more},
    )


def ansible(tool: str, inventory: Path, *arguments: str) -> str:
    """Return the output of an Ansible command; it must succeed."""
    program = Path(sys.executable).with_name(tool)
    done = run(str(program), "-i", str(inventory), *arguments, ANSIBLE_LOCALHOST_WARNING="false", ANSIBLE_NOCOLOR="1")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_ansible_pings_every_node_through_the_bastion(service: Service, inventory: Path) -> None:
    output = ansible("ansible", inventory, "all", "-m", "ansible.builtin.ping", "-o")
    assert output.count('"ping": "pong"') == len(service.nodes)


def test_ansible_shows_idrs_groups(inventory: Path) -> None:
    graph = ansible("ansible-inventory", inventory, "--graph")
    for group in (
        "demo1-hosts",
        "database-hosts",
        "demo1-database-hosts",
        "omero-hosts",
        "proxy-hosts",
        "bastion-hosts",
    ):
        assert f"|--@{group}:" in graph.replace("_", "-")


def test_a_playbook_with_the_slides_groups_and_variables_runs(inventory: Path) -> None:
    output = ansible("ansible-playbook", inventory, str(PLAYBOOK))
    assert "failed=0" in output
    assert "unreachable=1" not in output


def test_a_machine_with_another_host_key_is_refused(service: Service, outputs: Path, tmp_path: Path) -> None:
    changed = json.loads(outputs.read_text())
    nodes = {node["name"]: node for node in changed["topology"]["nodes"]}
    redis, proxy = nodes[service.node("redis")], nodes[service.node("proxy")]
    redis["hostKey"] = proxy["hostKey"]
    file = tmp_path / "outputs.json"
    file.write_text(json.dumps(changed))
    done = run(IDR, "ssh", redis["name"], "--from", str(file), "--", "true")
    assert done.returncode == 255
    assert "Host key verification failed" in done.stderr


def test_ssh_reaches_every_node_with_the_generated_file_alone(service: Service, outputs: Path) -> None:
    config = outputs.with_name("ssh_config")
    assert run(IDR, "inventory", "--from", str(outputs), "--format", "ssh", "--output", str(config)).returncode == 0
    assert "StrictHostKeyChecking yes" in config.read_text()
    for node in service.nodes:
        done = run("ssh", "-F", str(config), "-o", "BatchMode=yes", node, "hostname")
        assert (done.returncode, done.stdout.strip()) == (0, node), done.stderr


def test_idr_ssh_ends_with_the_remote_exit_status(outputs: Path) -> None:
    assert run(IDR, "ssh", "proxy", "--from", str(outputs), "--", "exit 7").returncode == 7


def test_idr_status_says_that_all_is_well(service: Service) -> None:
    done = run(IDR, "status", "-s", "local", "--json")
    status = json.loads(done.stdout)
    assert (done.returncode, status["ok"]) == (0, True), status
    assert sorted(node["node"] for node in status["nodes"]) == sorted(service.nodes)
    assert {node["configuration"] for node in status["nodes"]} == {"current"}


def test_idr_drift_sees_none_after_an_up(service: Service) -> None:
    assert service.outputs
    done = run(IDR, "drift", "-s", "local", "--json")
    assert (done.returncode, json.loads(done.stdout)) == (0, {"drift": False, "update": None, "resources": []})


@pytest.fixture(scope="module")
def poor(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tenant]:
    """Create an empty project with very small quotas."""
    assert service.outputs
    stack = tenant.make(tmp_path_factory.mktemp("tenant"))
    tenant.quota(instances=3, cores=2, ram=1024)
    tenant.network_quota(security_groups=4, security_group_rules=20, networks=1, routers=0, floatingip=1)
    yield stack
    tenant.default_quotas()


def test_idr_check_names_each_shortfall_and_up_then_creates_nothing(poor: Tenant) -> None:
    done = poor.run(sys.executable, "-m", "idr", "check", "-s", "local", "--json")
    report = json.loads(done.stdout)
    assert (done.returncode, report["ok"]) == (1, False), done.stderr
    lacking = {need["quota"] for need in report["needs"] if not need["fits"]}
    assert lacking == {
        "instances", "cores", "ram (MiB)", "networks", "routers", "floating IPs", "security groups",
        "security group rules",
    }  # a list to read, not a column  # fmt: skip
    refused = poor.up()
    text = refused.stdout + refused.stderr
    assert refused.returncode != 0
    assert "nothing was changed: this cloud cannot hold the plan:" in text
    assert all(line in text for line in report["shortfalls"])
    assert not any(poor.listing().values()), poor.listing()
