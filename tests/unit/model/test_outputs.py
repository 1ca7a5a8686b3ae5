"""Views of the plan for Ansible, ssh, Prometheus and people."""

import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from harness import stacks
from model.outputs import contract, inventory, ssh
from model.outputs.schema import SCHEMA_FILE, schema_text
from model.outputs.summary import summary
from model.outputs.topology import Known, Topology, topology
from model.people import ADMIN_USER

PLAN = stacks.plan_of("local")
SECRETS = stacks.secrets_of("local")
VOLUME_ID = "20e55581-ecd0-4a97-9000-000000000000"
KNOWN = Known(
    public="192.0.2.10",
    bastion="192.0.2.11",
    servers={node.name: f"server-{node.name}" for node in PLAN.nodes},
    volumes={"demo1-database-db": VOLUME_ID},
)
TOPOLOGY = topology(PLAN, SECRETS, KNOWN)
OUTPUTS = contract.outputs(PLAN, SECRETS, KNOWN)


def node_variables(name: str) -> dict[str, Any]:
    variables: dict[str, Any] = inventory.ansible(TOPOLOGY)["_meta"]["hostvars"][name]
    return variables


def test_the_inventory_has_idrs_group_names() -> None:
    listed = inventory.ansible(TOPOLOGY)
    assert listed["demo1-hosts"]["hosts"] == ["demo1-database", "demo1-redis", "demo1-omeroreadwrite", "demo1-proxy"]
    for group in ("database-hosts", "demo1-database-hosts"):
        assert listed[group]["hosts"] == ["demo1-database"]
    for group in ("omero-hosts", "demo1-omero-hosts", "omeroreadwrite-hosts", "web-hosts"):
        assert listed[group]["hosts"] == ["demo1-omeroreadwrite"]
    for group in ("bastion-hosts", "demo1-bastion-hosts"):
        assert listed[group]["hosts"] == ["bastion"]


def test_management_with_its_volume_is_one_of_idrs_data_hosts() -> None:
    listed = inventory.ansible(topology(stacks.plan_of("ebi"), stacks.secrets_of("ebi")))
    assert listed["prod130-data-hosts"]["hosts"] == ["prod130-management"]
    assert listed["prod130-omeroreadonly-hosts"]["hosts"] == [f"prod130-omeroreadonly-{n}" for n in range(1, 5)]


def test_volumes_are_named_to_idrs_playbooks_by_id() -> None:
    assert node_variables("demo1-database")["database_db_vol_dev"] == "/dev/disk/by-id/virtio-20e55581-ecd0-4a97-9"


def test_private_nodes_are_reached_through_the_bastion_and_it_must_show_its_own_key() -> None:
    assert node_variables("bastion")["ansible_host"] == KNOWN.bastion
    variables = node_variables("demo1-redis")
    assert variables["ansible_host"] == "10.130.1.30"
    options = shlex.split(variables["ansible_ssh_common_args"])
    way = shlex.split(next(option for option in options if option.startswith("ProxyCommand=")))
    assert way[-1] == f"jump@{KNOWN.bastion}"
    assert f"KnownHostsCommand=/bin/echo bastion {TOPOLOGY.bastion.host_key}" in way
    assert "StrictHostKeyChecking=yes" in way
    assert "StrictHostKeyChecking=yes" in options


def test_an_identity_is_offered_to_the_node_and_to_the_bastion() -> None:
    arguments = ssh.ssh_arguments(TOPOLOGY.nodes[-1], TOPOLOGY, identity="/keys/mine")
    assert arguments.count("IdentityFile=/keys/mine") == 2


@pytest.mark.parametrize(
    ("node", "host", "jump"), [("bastion", KNOWN.bastion, None), ("demo1-redis", "10.130.1.30", "jump@bastion")]
)
def test_ssh_understands_the_configuration(tmp_path: Path, node: str, host: str, jump: str | None) -> None:
    file = tmp_path / "config"
    file.write_text(ssh.ssh_config(TOPOLOGY))
    done = subprocess.run(["ssh", "-G", "-F", str(file), node], capture_output=True, text=True, check=True)
    settings = dict(line.split(" ", 1) for line in done.stdout.splitlines() if " " in line)
    assert (settings["hostname"], settings.get("proxyjump")) == (host, jump)
    assert (settings["stricthostkeychecking"], settings["user"]) == ("true", ADMIN_USER)


def test_where_no_account_can_only_jump_the_bastion_passes_the_admin_users_connections_on() -> None:
    plan = stacks.with_settings(PLAN, configure=False)
    text = ssh.ssh_config(topology(plan, SECRETS, KNOWN))
    assert "ProxyJump idr@bastion\n" in text
    # As the outputs of earlier versions, and a person with an account.
    assert ssh.ssh_config(Topology.model_validate(TOPOLOGY.model_dump(exclude={"jump_user"}))) == text
    assert "ProxyJump alice@bastion\n" in ssh.ssh_config(TOPOLOGY.as_account("alice"))


def test_every_node_has_a_host_key_of_its_own() -> None:
    lines = ssh.known_hosts(TOPOLOGY).splitlines()
    assert [line.split()[0] for line in lines] == [node.name for node in PLAN.nodes]
    assert len({line.split()[2] for line in lines}) == len(PLAN.nodes)


def test_ansible_reads_the_static_inventory_as_the_dynamic_one(tmp_path: Path) -> None:
    file = tmp_path / "hosts.ini"
    file.write_text(inventory.ini(TOPOLOGY))
    command = [str(Path(sys.executable).with_name("ansible-inventory")), "-i", str(file), "--list"]
    listed = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    for name, variables in inventory.ansible(TOPOLOGY)["_meta"]["hostvars"].items():
        assert listed["_meta"]["hostvars"][name] == variables
    assert set(listed) >= {"demo1-hosts", "database-hosts", "demo1-database-hosts"}


def test_the_hosts_file_gives_short_names_to_the_live_release_only() -> None:
    assert "10.130.1.30 demo1-redis redis\n" in inventory.hosts_file(TOPOLOGY)
    assert "10.130.0.10 bastion\n" in inventory.hosts_file(TOPOLOGY)


def test_prometheus_gets_every_node() -> None:
    targets = inventory.prometheus(TOPOLOGY)
    assert [target.labels["node"] for target in targets] == [node.name for node in PLAN.nodes]
    assert targets[1].targets == ("10.130.1.20:9100",)
    assert {target.labels["__scheme__"] for target in targets} == {"https"}


def test_what_another_tool_installs_has_no_certificate_of_the_stacks() -> None:
    others = TOPOLOGY.model_copy(update={"configured": False})
    assert not any("__scheme__" in target.labels for target in inventory.prometheus(others))


def test_flows_name_nodes() -> None:
    redis = next(flow for flow in TOPOLOGY.flows if flow.port == 6379)
    assert (redis.source, redis.target) == (("demo1-omeroreadwrite",), ("demo1-redis",))
    web = next(flow for flow in TOPOLOGY.flows if flow.port == 443 and flow.source == ("world",))
    assert web.target == ("demo1-proxy",)
    assert len(set(TOPOLOGY.flows)) == len(TOPOLOGY.flows)


def test_the_firewall_table_says_why_for_every_rule() -> None:
    row = {"from": "demo1-web", "to": "demo1-redis", "protocol": "tcp", "port": 6379, "why": "sessions and caches"}
    assert any(row.items() <= rule.items() for rule in OUTPUTS["firewall"])
    assert all(rule["why"] for rule in OUTPUTS["firewall"])


def test_the_live_release_is_marked() -> None:
    assert [(release["name"], release["live"]) for release in OUTPUTS["releases"]] == [("demo1", True)]


def test_the_outputs_are_as_the_published_schema_says() -> None:
    jsonschema.validate(OUTPUTS, json.loads(SCHEMA_FILE.read_text()))
    assert set(OUTPUTS) == set(contract.NAMES)


def test_the_published_schema_is_that_of_the_models() -> None:
    assert SCHEMA_FILE.read_text() == schema_text(), "renew it with: .venv/bin/python -m model.outputs.schema"


def test_a_reader_skips_what_a_newer_contract_adds() -> None:
    newer = {**OUTPUTS["topology"], "colour": "blue"}
    assert Topology.model_validate(newer) == TOPOLOGY


def test_what_a_first_preview_shows_is_what_up_will_say() -> None:
    early = contract.planned(PLAN, SECRETS)
    assert early == {name: OUTPUTS[name] for name in early}


def test_no_output_holds_a_secret() -> None:
    text = json.dumps(OUTPUTS)
    assert "PRIVATE KEY" not in text
    assert SECRETS.stack_secret not in text
    assert SECRETS.password("demo1/database/omero") not in text


def test_the_last_lines_of_an_up_say_where_the_service_is_and_what_is_next() -> None:
    assert summary(PLAN, OUTPUTS).splitlines() == [
        f"The IDR answers at https://192.0.2.10/ (host name {PLAN.host_name}).",
        "Next: bin/idr status --stack local",
    ]
