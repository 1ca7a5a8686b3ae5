"""Views of the plan: what Ansible, ssh and people read."""

import subprocess
from pathlib import Path

import pytest

from model import outputs
from model.outputs import Addresses
from tests import stacks

PLAN = stacks.plan_of("local")
KNOWN = Addresses(public="192.0.2.10", bastion="192.0.2.11")


def test_the_inventory_has_idrs_group_names() -> None:
    listed = outputs.inventory(PLAN, KNOWN)
    assert listed["demo1-hosts"]["hosts"] == [
        "demo1-database",
        "demo1-redis",
        "demo1-omeroreadwrite",
        "demo1-proxy",
    ]
    for group in ("database-hosts", "demo1-database-hosts"):
        assert listed[group]["hosts"] == ["demo1-database"]
    for group in ("omero-hosts", "demo1-omero-hosts", "omeroreadwrite-hosts", "web-hosts"):
        assert listed[group]["hosts"] == ["demo1-omeroreadwrite"]
    assert listed["bastion-hosts"]["hosts"] == ["bastion"]


def test_private_nodes_are_reached_through_the_bastion() -> None:
    variables = outputs.inventory(PLAN, KNOWN)["_meta"]["hostvars"]
    assert variables["bastion"]["ansible_host"] == KNOWN.bastion
    assert variables["demo1-redis"]["ansible_host"] == "10.130.1.30"
    assert KNOWN.bastion in variables["demo1-redis"]["ansible_ssh_common_args"]


@pytest.mark.parametrize(
    ("node", "host", "jump"), [("bastion", KNOWN.bastion, None), ("demo1-redis", "10.130.1.30", "bastion")]
)
def test_ssh_understands_the_configuration(tmp_path: Path, node: str, host: str, jump: str | None) -> None:
    file = tmp_path / "config"
    file.write_text(outputs.ssh_config(PLAN, KNOWN, "known_hosts"))
    done = subprocess.run(["ssh", "-G", "-F", str(file), node], capture_output=True, text=True, check=True)
    settings = dict(line.split(" ", 1) for line in done.stdout.splitlines() if " " in line)
    assert (settings["hostname"], settings.get("proxyjump")) == (host, jump)
    assert (settings["stricthostkeychecking"], settings["user"]) == ("true", "idr")


def test_every_node_has_a_known_host_key() -> None:
    lines = outputs.known_hosts(PLAN, stacks.secrets_of("local")).splitlines()
    assert [line.split()[0] for line in lines] == [node.name for node in PLAN.nodes]
    assert len({line.split()[2] for line in lines}) == len(PLAN.nodes)


def test_the_firewall_table_says_why_for_every_rule() -> None:
    rows = outputs.firewall_table(PLAN)
    assert {
        "from": "demo1-web",
        "to": "demo1-redis",
        "protocol": "tcp",
        "port": 6379,
        "why": "sessions and caches",
    } in rows
    assert all(row["why"] for row in rows)


def test_the_live_release_is_marked() -> None:
    assert [(release["name"], release["live"]) for release in outputs.releases(PLAN)] == [("demo1", True)]
