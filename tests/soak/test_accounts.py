"""What an attacker can do with a service's account: read, write, become root, connect. All else is refused."""

import json
from typing import Any

import pytest
import yaml

from cloudinit import render
from harness import stacks
from harness.cloud.service import Service
from harness.stacks import ROOT
from model.roles import Role

pytestmark = pytest.mark.cloud

PLAN = stacks.plan_of("local")
NODES = {node.name: node for node in PLAN.nodes}
WRITES = yaml.safe_load((ROOT / "tests" / "soak" / "accounts.yaml").read_text())
OUR_OWN = ("/etc/shadow", "/root", "/home/idr/.ssh", "/var/lib/idr", "/var/lib/cloud/instance/user-data.txt")
"""Files that only root may read on any node, beside the bundle's files."""
EVERYBODYS = ("/dev", "/proc", "/sys", "/run/lock", "/tmp", "/var/tmp")  # noqa: S108  # left out, not used
PASSED_OVER = " -o ".join(f"-path {path}" for path in EVERYBODYS)
RUNNING = "ps -eo user:32= | sort -u | grep -vxE 'root|idr'"
# With the rights of the service: the account and its groups, and nothing of root's.
AS_ACCOUNT = 'as() { setpriv --reuid "$1" --regid "$(id -g "$1")" --init-groups --inh-caps=-all "${@:2}" < /dev/null; }'
READABLE = f"""{AS_ACCOUNT}
while read -r account path; do as "$account" test -r "$path" && echo "$account $path"; done
true"""
WRITABLE = f"""{AS_ACCOUNT}
while read -r account; do
  as "$account" find / \\( {PASSED_OVER} \\) -prune -o \\( -type f -o -type d \\) -writable \\
    -printf "$account %p\\n" 2> /dev/null
done
true"""
SUDO = """while read -r account; do sudo -n -l -U "$account" | grep -q "not allowed" || echo "$account"; done"""
CONNECTS = f"""{AS_ACCOUNT}
while read -r account address port; do
  as "$account" timeout 4 bash -c "</dev/tcp/$address/$port" 2> /dev/null && echo "$account $address $port"
done
true"""


@pytest.fixture(params=NODES)
def name(request: pytest.FixtureRequest) -> str:
    """Return the name of a node of the demo."""
    return str(request.param)


@pytest.fixture
def accounts(service: Service, name: str) -> list[str]:
    """Return the accounts that run a service on the node, and one that runs nothing."""
    return sorted({*service.on(name, RUNNING).split(), "nobody"})


def bundle(name: str) -> dict[str, Any]:
    """Return the configuration of a node."""
    node = NODES[name]
    ids = {volume.purpose: "0" * 36 for volume in node.volumes}
    rendered: dict[str, Any] = json.loads(render.bundle(node, PLAN, stacks.secrets_of("local"), ids))
    return rendered


def asked(service: Service, name: str, script: str, lines: list[str]) -> set[str]:
    """Return the output of a script on a node as root, with these lines on its standard input."""
    return set(service.on(name, f"sudo bash -c '{script}'", "\n".join(lines) + "\n").splitlines())


def test_it_reads_no_file_that_is_another_accounts(service: Service, name: str, accounts: list[str]) -> None:
    groups = {account: service.on(name, f"id -Gn {account}").split() for account in accounts}
    files = [entry for entry in bundle(name)["files"] if not int(entry["mode"], 8) & 0o004]
    assert files
    expected = {
        f"{account} {entry['path']}"
        for entry in files
        for account in accounts
        if account == entry["owner"] or (entry["group"] in groups[account] and int(entry["mode"], 8) & 0o040)
    }
    paths = [*(entry["path"] for entry in files), *OUR_OWN]
    lines = [f"{account} {path}" for account in accounts for path in paths]
    assert asked(service, name, READABLE, lines) == expected


def test_it_writes_only_where_its_row_says(service: Service, name: str, accounts: list[str]) -> None:
    written = asked(service, name, WRITABLE, accounts)
    allowed = tuple(f"{account} {path}" for account in accounts for path in writes(name, account))
    assert {line for line in written if not line.startswith(allowed)} == set()


def writes(name: str, account: str) -> list[str]:
    """Return the table's row of an account on a node: of each role that the node has."""
    return [path for role in bundle(name)["roles"] for path in WRITES.get(role, {}).get(account, [])]


def test_it_may_not_become_root(service: Service, name: str, accounts: list[str]) -> None:
    assert asked(service, name, SUDO, accounts) == set()


def test_it_reaches_no_port_that_the_matrix_does_not_name(service: Service, name: str, accounts: list[str]) -> None:
    others = [node for node in PLAN.nodes if node.name != name]
    lines = [f"{account} {node.address} 22" for account in accounts for node in others]
    lines += [f"{account} 169.254.169.254 80" for account in accounts]
    allowed = set()
    if Role.BASTION in NODES[name].roles:
        allowed = {line for line in lines if line.endswith(" 22")}
    assert asked(service, name, CONNECTS, lines) == allowed
