"""What is declared while a new stack secret replaces a former one."""

import json
from dataclasses import replace
from typing import Any

import pytest

from harness import stacks
from model.secrets import Secrets
from tests import declared

BEFORE = Secrets("local", "the former stack secret, of tests alone")
AFTER = Secrets("local", "the present stack secret, of tests alone")
MEANWHILE = replace(AFTER, previous=BEFORE)
PLAN = stacks.plan_of("local")
NODES = [node.name for node in PLAN.nodes]
STOP, APPLY = "command:local:Command {}", "command:remote:Command {}"
HOST_KEY = STOP.format("{}-host-key")
JUMP = HOST_KEY.format("bastion")


@pytest.fixture(scope="module")
def before() -> dict[str, Any]:
    return declared.resources(PLAN, BEFORE)


@pytest.fixture(scope="module")
def meanwhile() -> dict[str, Any]:
    return declared.resources(PLAN, MEANWHILE)


@pytest.fixture(scope="module")
def after() -> dict[str, Any]:
    return declared.resources(PLAN, AFTER)


def test_host_keys_are_exchanged_during_the_renewal_and_at_no_other_time(
    before: dict[str, Any], meanwhile: dict[str, Any], after: dict[str, Any]
) -> None:
    assert meanwhile.keys() - before.keys() == {HOST_KEY.format(node) for node in NODES}
    assert before.keys() == after.keys()


@pytest.mark.parametrize("node", NODES)
def test_a_node_gets_its_new_host_key_before_it_is_configured(meanwhile: dict[str, Any], node: str) -> None:
    assert HOST_KEY.format(node) in meanwhile[APPLY.format(node)]["dependsOn"]
    given = json.loads(meanwhile[HOST_KEY.format(node)]["inputs"]["stdin"]["secret"])
    assert given["hostKey"] == AFTER.ssh_key(f"host/{node}").private
    assert given["route"]["hostKey"] == AFTER.ssh_key(f"host/{node}").public
    assert given["route"]["formerHostKeys"] == [BEFORE.ssh_key(f"host/{node}").public]


def test_nobody_goes_through_the_bastion_before_it_has_its_new_host_key(meanwhile: dict[str, Any]) -> None:
    for node in NODES:
        waits = JUMP in meanwhile[f"idr:configuration:Configuration {node}"].get("dependsOn", [])
        assert waits is (node != "bastion")
    (jump,) = {
        json.loads(meanwhile[HOST_KEY.format(node)]["inputs"]["stdin"]["secret"])["route"]["through"]["hostKey"]
        for node in NODES
        if node != "bastion"
    }
    assert jump == AFTER.ssh_key("host/bastion").public


@pytest.mark.parametrize("node", NODES)
def test_a_node_is_configured_with_a_key_that_it_knows_and_by_the_host_key_that_it_has(
    before: dict[str, Any], meanwhile: dict[str, Any], after: dict[str, Any], node: str
) -> None:
    used = [resources[APPLY.format(node)]["inputs"]["connection"]["secret"] for resources in (before, meanwhile, after)]
    private = [secrets.deploy_keys()[0].private.strip() for secrets in (BEFORE, AFTER)]
    assert [route["privateKey"] for route in used] == [private[0], private[0], private[1]]
    keys = [secrets.ssh_key(f"host/{node}").public for secrets in (BEFORE, AFTER)]
    assert [route["hostKey"] for route in used] == [keys[0], keys[1], keys[1]]


@pytest.mark.parametrize("node", NODES)
def test_a_node_can_be_stopped_by_either_host_key(meanwhile: dict[str, Any], node: str) -> None:
    route = json.loads(meanwhile[STOP.format(node)]["inputs"]["stdin"]["secret"])
    hops = [route, *([route["through"]] if node != "bastion" else [])]
    assert all(len({hop["hostKey"], *hop["formerHostKeys"]}) == 2 for hop in hops)


def test_of_a_server_only_the_bootstrap_differs_which_replaces_none(
    before: dict[str, Any], meanwhile: dict[str, Any]
) -> None:
    for node in NODES:
        title = f"openstack:compute/instance:Instance {node}"
        assert "userData" in before[title]["ignoreChanges"]
        old, new = ({**resources[title]["inputs"], "userData": ""} for resources in (before, meanwhile))
        assert old == new
