"""IDR's own playbooks get their machines: ansible-core reads the inventory in a stack's outputs."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness import stacks
from model.outputs import contract
from model.outputs.inventory import ini
from model.outputs.metadata import LONGEST_VALUE, server_metadata
from model.outputs.topology import topology
from model.planning import plan
from model.reading import Source, parse
from tests import golden_files

PLAYS = stacks.ROOT / "tests" / "layouts" / "idr-plays.yml"
EXPECTED = stacks.ROOT / "tests" / "layouts" / "idr-plays.expected.yml"
ANSIBLE = Path(sys.executable).with_name("ansible-playbook")


def ansible(inventory: Path, playbook: Path, *arguments: str) -> str:
    done = subprocess.run(
        [ANSIBLE, "--inventory", inventory, "--extra-vars", "idr_environment=prod130", *arguments, playbook],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_LOCALHOST_WARNING": "0"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def dynamic(folder: Path, stack: str) -> Path:
    """Write an inventory script, as a site does beside the playbooks."""
    secrets = golden_files.NamedSecrets(stack, "unused")
    outputs = contract.outputs(stacks.plan_of(stack), secrets, golden_files.KNOWN)
    (folder / "inventory.json").write_text(json.dumps(outputs["inventory"]))
    script = folder / "inventory"
    script.write_text(f"#!/bin/sh\ncat {folder}/inventory.json\n")
    script.chmod(0o755)
    return script


def listed(stack: str, folder: Path) -> dict[str, list[str]]:
    """Return the hosts of each play that has hosts."""
    by_group: dict[str, list[str]] = {}
    for line in ansible(dynamic(folder, stack), PLAYS, "--list-hosts").splitlines():
        if play := re.match(r"\s*play #\d+ \(.*\): (.+?)\s+TAGS:", line):
            by_group[name := play[1]] = []
        elif host := re.fullmatch(r"\s{6}(\S+)", line):
            by_group[name].append(host[1])
    return {name: sorted(hosts) for name, hosts in by_group.items()}


@pytest.mark.parametrize("stack", ["uod", "ebi"])
def test_each_of_idrs_plays_has_the_machines_that_are_listed(stack: str, tmp_path: Path) -> None:
    assert listed(stack, tmp_path) == yaml.safe_load(EXPECTED.read_text())[stack]


@pytest.mark.parametrize("kind", ["dynamic", "static"])
def test_idrs_way_to_a_machines_address_works_whatever_its_interface_is_called(kind: str, tmp_path: Path) -> None:
    playbook = tmp_path / "play.yml"
    facts = {"ansible_default_ipv4": {"interface": "ens7"}, "ansible_ens7": {"ipv4": {"address": "192.168.130.50"}}}
    address = "hostvars['prod130-proxy']['ansible_' + (idr_net_iface | default('eth0'))]['ipv4']['address']"
    playbook.write_text(
        yaml.safe_dump(
            [
                {
                    "hosts": "prod130-proxy",
                    "gather_facts": False,
                    "connection": "local",
                    "tasks": [
                        {"ansible.builtin.set_fact": facts},
                        {"ansible.builtin.debug": {"msg": f"the address is {{{{ {address} }}}}"}},
                    ],
                }
            ]
        )
    )
    inventory = dynamic(tmp_path, "ebi")
    if kind == "static":
        inventory = tmp_path / "inventory.ini"
        inventory.write_text(ini(topology(stacks.plan_of("ebi"), golden_files.NamedSecrets("ebi", "unused"))))
    assert "the address is 192.168.130.50" in ansible(inventory, playbook)


def stack_with(**changes: Any) -> dict[str, dict[str, str]]:
    """Return the metadata of each server of `ebi` with other settings."""
    stack_plan = plan(parse(stacks.values("ebi") | changes, Source("ebi", "Pulumi.ebi.yaml")), "ebi")
    return {node.name: server_metadata(node, stack_plan) for node in stack_plan.nodes}


def test_idrs_own_inventory_finds_groups_names_and_the_bastion_in_the_servers_metadata() -> None:
    inventories = stack_with(storageNetwork={"name": "storage", "cidr": "172.16.0.0/16"})
    assert inventories["bastion"] == {
        "groups": "bastion-hosts,prod130-bastion-hosts",
        "hostname": "bastion",
        "ssh_proxy_host": "proxy",
    }
    server = inventories["prod130-omeroreadonly-1"]
    assert {"ebi-nfs", "prod130-ebi-nfs", "prod130-omeroreadonly-hosts"} <= set(server.pop("groups").split(","))
    assert server == {
        "hostname": "prod130-omeroreadonly-1",
        "network_order": "idr-ebi-prod130",
        "ssh_proxy_host": "required",
    }


def test_groups_that_are_too_long_for_one_value_go_on_in_the_next() -> None:
    release = "r" * 20
    roles = ["omero-readwrite", "web", "database", "redis", "management", "proxy"]
    volumes = {name: {"sizeGib": 1} for name in ("db", "data")}
    inventories = stack_with(
        live=release,
        releases={
            release: {
                "cidr": "192.168.1.0/24",
                "nodes": {"all": {"roles": roles, "flavor": "m1.xlarge", "volumes": volumes}},
            }
        },
        storageGroup="s" * 40,
    )[f"{release}-all"]
    values = [value for key, value in inventories.items() if key.startswith("groups")]
    assert all(len(value) <= LONGEST_VALUE for value in values)
    assert [key for key in inventories if key.startswith("groups")] == ["groups", "groups2", "groups3"][: len(values)]
    names = ",".join(values).split(",")
    assert len(set(names)) == len(names) == 18
