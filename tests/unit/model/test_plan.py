"""The plan: addresses that stay, and only the rules that are needed."""

import copy
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from harness import stacks
from model.addressing import service_pool
from model.limits import Limits
from model.plan import Plan
from model.planning import plan
from model.reading import Source, parse


def ebi_with(readonly: int, proxies: int = 1) -> Plan:
    values: dict[str, Any] = copy.deepcopy(stacks.values("ebi"))
    nodes = values["releases"]["prod130"]["nodes"]
    nodes["omeroreadonly"]["count"] = readonly
    nodes["proxy"]["count"] = proxies
    return plan(parse(values, Source("ebi", "Pulumi.ebi.yaml")), "ebi")


# A plan of a hundred nodes takes its time.
some = settings(max_examples=25)


@some
@given(st.integers(1, 100), st.integers(1, 10))
def test_addresses_are_unique_and_outside_what_neutron_hands_out(readonly: int, proxies: int) -> None:
    release = ebi_with(readonly, proxies).releases[0]
    addresses = [node.address for node in release.nodes]
    first, last = service_pool(release.subnet.cidr)
    assert len(set(addresses)) == len(addresses)
    assert all(address in release.subnet.cidr for address in addresses)
    assert not any(first <= address <= last for address in addresses)
    assert release.subnet.gateway not in addresses


@some
@given(st.integers(1, 99), st.integers(1, 99))
def test_adding_or_removing_a_node_moves_no_other(before: int, after: int) -> None:
    # The limits of services and the proxy's ports may change: they are in the configuration, which replaces no machine.
    old, new = (
        {node.name: replace(node, limits=Limits(), listens=()) for node in ebi_with(number).nodes}
        for number in (before, after)
    )
    assert all(old[name] == new[name] for name in old.keys() & new.keys())


def test_more_servers_get_more_connections() -> None:
    few, many = (
        next(node.limits.database for node in ebi_with(number).nodes if node.limits.database) for number in (4, 20)
    )
    assert (few.connections, many.connections) == (150, 550)
    assert few.work_memory_mib > many.work_memory_mib


def test_nothing_is_open_to_the_world_but_the_public_ports_and_the_bastion() -> None:
    stack_plan = stacks.plan_of("ebi")
    rules = [rule for scope in (stack_plan.bastion, *stack_plan.releases) for rule in scope.rules]
    assert sorted(
        (rule.group, rule.port) for rule in rules if rule.direction == "ingress" and rule.remote_cidr == "0.0.0.0/0"
    ) == [
        ("bastion-bastion", 22),
        ("prod130-proxy", 80),
        ("prod130-proxy", 443),
        ("prod130-proxy", 4064),
        *(("prod130-proxy", port) for port in (14061, 14062, 14063, 14064)),
    ]


def test_the_settings_in_a_plan_lack_the_stack_secrets() -> None:
    secret = SecretStr("what everything is derived from")
    given = stacks.settings("ebi").model_copy(update={"stack_secret": secret, "previous_stack_secret": secret})
    stack_plan = plan(given, "ebi")
    assert (stack_plan.settings.stack_secret, stack_plan.settings.previous_stack_secret) == (None, None)
    assert stack_plan.settings.releases == given.releases


def test_only_omero_nodes_reach_the_database_and_only_web_nodes_redis() -> None:
    rules = stacks.plan_of("ebi").releases[0].rules
    assert {rule.remote_group for rule in rules if rule.port == 5432 and rule.direction == "ingress"} == {
        "prod130-omero-readonly",
        "prod130-omero-readwrite",
    }
    assert {rule.remote_group for rule in rules if rule.port == 6379 and rule.direction == "ingress"} == {"prod130-web"}


def test_every_rule_names_groups_that_exist() -> None:
    stack_plan = stacks.plan_of("ebi")
    known = {group for scope in (stack_plan.bastion, *stack_plan.releases) for group in scope.security_groups}
    for scope in (stack_plan.bastion, *stack_plan.releases):
        for rule in scope.rules:
            assert rule.group in known
            assert rule.remote_group in {None, *known}


def test_the_public_address_leads_to_the_live_release() -> None:
    assert stacks.plan_of("local").public_node().name == "demo1-proxy"


def test_a_rebuild_number_reaches_only_the_node_it_names() -> None:
    values = stacks.values("local")
    values["releases"]["demo1"]["rebuild"] = {"redis": 2}
    values["bastion"]["rebuild"] = 3
    stack_plan = plan(parse(values, Source("local", "Pulumi.local.yaml")), "local")
    assert {node.name: node.rebuild for node in stack_plan.nodes if node.rebuild} == {"bastion": 3, "demo1-redis": 2}


@pytest.mark.parametrize("stack", stacks.STACK_FILES)
def test_the_order_of_keys_in_the_stack_file_changes_nothing(stack: str) -> None:
    """The engine passes mappings sorted, as JSON; `idr status` reads them as they are written."""
    values = json.loads(json.dumps(stacks.values(stack), sort_keys=True, default=str))
    assert plan(parse(values, Source(stack, "stack file")), stack) == stacks.plan_of(stack)
