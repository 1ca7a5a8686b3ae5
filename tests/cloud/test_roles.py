"""Every machine after `up`, seen from inside: sockets, firewall, accounts, time, updates, secrets."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cloudinit import render
from dev.cloud.layout import ADDRESS
from harness import stacks
from harness.cloud.service import Service
from model.roles import Role

pytestmark = pytest.mark.cloud

PLAN = stacks.plan_of("local")
NODES = {node.name: node for node in PLAN.nodes}
UNITS = "/etc/systemd/system"
HARDENING = "idr-hardening.conf"
MOST_EXPOSED = 4.0
"""On the scale of `systemd-analyze security`, up to 10."""
SILENT = 124
"""The exit status of `timeout`: neither the node's own firewall nor the other node answered."""
CONNECT = "timeout 5 bash -c '</dev/tcp/{}/{}'"


def unit_files(name: str) -> list[Path]:
    """Return the files that a node's bundle puts into systemd's folder."""
    node = NODES[name]
    volumes = {volume.purpose: "0" * 20 for volume in node.volumes}
    bundle = json.loads(render.bundle(node, PLAN, stacks.secrets_of("local"), volumes))
    paths = [Path(entry["path"]) for entry in bundle["files"]]
    return [path.relative_to(UNITS) for path in paths if path.is_relative_to(UNITS)]


def hardened(name: str) -> list[str]:
    """Return the units of a node that the bundle hardens."""
    instance = f"@{NODES[name].system.postgresql}-main."
    units = [path.parts[0].removesuffix(".d") for path in unit_files(name) if path.name == HARDENING]
    return [unit.replace("@.", instance) for unit in units]


@pytest.mark.parametrize("name", NODES)
def test_a_machine_listens_where_the_plan_says_and_nowhere_else(service: Service, name: str) -> None:
    sockets = service.on(name, "sudo ss -H -ltn | awk '{print $4}'").split()
    reachable = {int(socket.rsplit(":", 1)[1]) for socket in sockets if not socket.startswith(("127.", "[::1]"))}
    assert reachable == set(NODES[name].listens)


@pytest.mark.parametrize("name", NODES)
def test_the_metadata_service_answers_root_alone(service: Service, name: str) -> None:
    ask = "curl --silent --show-error --output /dev/null --max-time 10 http://169.254.169.254/"
    assert service.try_on(name, f"sudo {ask}").returncode == 0
    assert service.try_on(name, f"sudo -u nobody {ask}").returncode == 7  # refused at once, not dropped


def test_only_root_and_apt_fetch_from_the_world(service: Service) -> None:
    # Nobody answers at this address, so silence proves that the packet left the node.
    fetch = CONNECT.format(ADDRESS, 443)
    for account in ("root", "_apt"):
        assert service.try_on(service.node("proxy"), f"sudo -u {account} {fetch}").returncode == SILENT
    for account in ("nobody", "www-data"):
        assert service.try_on(service.node("proxy"), f"sudo -u {account} {fetch}").returncode == 1


@pytest.mark.parametrize("name", NODES)
def test_its_cloud_init_finds_the_bootstrap_valid_and_had_nothing_to_complain_of(service: Service, name: str) -> None:
    service.on(name, "sudo cloud-init schema --system")
    status = json.loads(service.on(name, "cloud-init status --format json"))
    assert (status["status"], status["errors"], status.get("recoverable_errors", {})) == ("done", [], {})
    # What newer versions report as recoverable errors.
    assert service.on(name, "sudo grep -c WARNING /var/log/cloud-init.log || true") == "0"


@pytest.mark.parametrize("name", NODES)
def test_systemd_finds_its_units_valid(service: Service, name: str) -> None:
    inside = [path.parts[0] for path in unit_files(name)]
    assert inside
    units = {unit.removesuffix(".d").replace("@.", "@main.") for unit in inside}
    assert service.on(name, f"systemd-analyze verify --man=no {' '.join(sorted(units))} 2>&1") == ""


@pytest.mark.parametrize("name", NODES)
def test_a_service_that_is_taken_over_can_do_little(service: Service, name: str) -> None:
    for unit in hardened(name):
        output = service.on(name, f"systemd-analyze security --no-pager {unit}").splitlines()[-1]
        exposure = re.search(r"exposure level for \S+: ([0-9.]+) ", output)
        assert exposure, output
        assert float(exposure[1]) <= MOST_EXPOSED, output
        # Running services were started with it; the pre-warm ends.
        process = service.on(name, f"systemctl show --value -p MainPID {unit}")
        if process == "0":
            continue
        assert service.on(name, f"awk '/^NoNewPrivs/ {{print $2}}' /proc/{process}/status") == "1", unit


@pytest.mark.parametrize("name", NODES)
def test_nothing_of_a_machine_has_failed_and_its_own_firewall_is_loaded(service: Service, name: str) -> None:
    assert service.on(name, "systemctl --failed --no-legend") == ""
    assert "policy drop" in service.on(name, "sudo nft list chain inet idr input")


@pytest.mark.parametrize("name", NODES)
def test_a_machine_keeps_its_units_in_control_groups_of_its_own(service: Service, name: str) -> None:
    output = service.on(name, "sudo journalctl -q -b _PID=1 -o cat").splitlines()
    assert output
    assert [line for line in output if re.search("Failed to .*(cgroup|control group)", line)] == []


def test_units_start_again_on_all_machines_at_once(service: Service) -> None:
    # Containers with shared control groups took them from each other: one of these hung within seconds.
    again = "sudo systemctl reset-failed systemd-journald; sudo timeout 30 systemctl restart systemd-journald"
    with ThreadPoolExecutor() as machines:
        results = machines.map(lambda name: service.on(name, f"for i in {{1..20}}; do {again} || exit 1; done"), NODES)
        assert list(results) == [""] * len(NODES)


def test_what_the_matrix_allows_answers_and_what_it_does_not_is_refused_by_the_node_itself(service: Service) -> None:
    omero, database = service.node("omeroreadwrite"), NODES[service.node("database")]
    assert service.try_on(omero, CONNECT.format(database.address, 5432)).returncode == 0
    assert service.try_on(omero, CONNECT.format(database.address, 22)).returncode == 1  # rejected on its way out


def test_the_jump_account_passes_connections_on_and_opens_no_session(service: Service) -> None:
    effective = service.on("bastion", "sudo sshd -T -C user=jump,host=localhost,addr=127.0.0.1")
    assert {"maxsessions 0", "permittty no", "allowtcpforwarding local"} <= set(effective.splitlines())


def test_only_security_updates_come_by_themselves(service: Service) -> None:
    for name in NODES:
        output = service.on(name, "apt-config dump Unattended-Upgrade::Origins-Pattern")
        origins = [line for line in output.splitlines() if "origin=" in line]
        assert origins
        assert all("-security" in line for line in origins), name


def test_the_read_only_role_reads_and_cannot_write(service: Service) -> None:
    omero = service.node("omeroreadwrite")
    address = next(node.address for node in PLAN.nodes if Role.DATABASE in node.roles)
    database = service.node("database")
    password = service.on(
        database, "sudo sed -n \"s/.set omeroreadonly '\\(.*\\)'/\\1/p\" /etc/idr/database/passwords.sql"
    )
    # The password goes through the environment, because the process list shows command lines.
    ask = f"PGPASSWORD={password} psql 'host={address} user=omeroreadonly dbname=idr sslmode=require' -tAc "
    assert service.on(omero, f"{ask} 'show statement_timeout'") == "1min"
    refused = service.try_on(omero, f"{ask} 'create table no (x int)'")
    assert "read-only transaction" in refused.stderr
