"""Shortfalls of a cloud: all of them at once, and only for what is still to be made."""

from dataclasses import replace
from typing import Any

import pytest

from model.capacity import Offer, Quota, is_complete, needs, shortfalls
from model.plan import Plan
from model.planning import plan
from model.reading import Source, parse
from tests import stacks

PLAN = stacks.plan_of("local")
NODES = frozenset(f"idr-local-{node.name}" for node in PLAN.nodes)
KINDS = (
    "instances", "cores", "ram (MiB)", "server groups", "volumes", "volume gigabytes", "networks", "subnets", "routers",
    "ports", "floating IPs", "security groups", "security group rules",
)  # a list to read, not a column  # fmt: skip
ENOUGH = Offer(
    flavors={node.flavor_name: node.flavor for node in PLAN.nodes},
    there={"image": frozenset({"idr-debian-12"}), "external network": frozenset({"public"})},
    quotas={kind: Quota(-1, 99) for kind in KINDS},
)


def local_with(**changes: Any) -> Plan:
    return plan(parse({**stacks.values("local"), **changes}, Source("local", "Pulumi.local.yaml")), "local")


def needed(made: Plan, offer: Offer) -> dict[str, int]:
    return {need.quota: need.more for need in needs(made, offer)}


def test_a_cloud_with_everything_lacks_nothing() -> None:
    assert shortfalls(PLAN, ENOUGH) == []


def test_every_shortfall_is_told_at_once() -> None:
    poor = replace(
        ENOUGH,
        there={"image": frozenset({"other"}), "external network": frozenset()},
        flavors={"local.medium": PLAN.bastion_node.flavor},
        quotas={"instances": Quota(10, 6), "floating IPs": Quota(3, 2), "security groups": Quota(10, 1)},
    )
    assert shortfalls(PLAN, poor) == [
        "image 'idr-debian-12' is not there; there are: other",
        "external network 'public' is not there; there are: none",
        "flavor 'local.medium' has 1 vCPU and 768 MiB, the settings say 2 and 2048",
        "flavor 'local.small' is not there; there are: local.medium",
        "quota of instances: 5 more needed, 4 left of 10",
        "quota of floating IPs: 2 more needed, 1 left of 3",
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_each_quota_is_compared(kind: str) -> None:
    full = replace(ENOUGH, quotas={kind: Quota(5, 5)})
    more = needed(stacks.plan_of("ebi"), full)[kind]
    assert more > 0
    assert f"quota of {kind}: {more} more needed, 0 left of 5" in shortfalls(stacks.plan_of("ebi"), full)


def test_an_empty_project_needs_all_of_the_plan() -> None:
    found = needed(PLAN, ENOUGH)
    rules = sum(len(scope.rules) for scope in PLAN.scopes)
    assert (found["instances"], found["networks"], found["routers"], found["floating IPs"]) == (5, 2, 1, 2)
    assert (found["ports"], found["security group rules"]) == (5 + 2 * 2, rules)


def test_what_is_there_already_needs_no_quota() -> None:
    made = {
        "instances": NODES,
        "ports": NODES,
        "volumes": frozenset({"idr-local-demo1-database-db"}),
        "networks": frozenset({"idr-local-bastion", "idr-local-demo1"}),
        "routers": frozenset({"idr-local"}),
        "floating IPs": frozenset({"idr-local bastion", "idr-local public"}),
        "security groups": frozenset(f"idr-local-{g}" for scope in PLAN.scopes for g in scope.security_groups),
    }
    assert set(needed(PLAN, replace(ENOUGH, made=made)).values()) == {0}


def test_one_server_more_needs_one() -> None:
    found = needed(PLAN, replace(ENOUGH, made={"instances": NODES - {"idr-local-bastion"}}))
    assert (found["instances"], found["cores"], found["ram (MiB)"]) == (1, 1, 768)


def test_what_the_settings_take_from_the_cloud_must_be_there() -> None:
    releases = stacks.values("local")["releases"]
    releases["demo1"]["nodes"]["database"]["volumes"]["db"] = {
        "sizeGib": 1,
        "existing": "20e55581-ecd0-4a97-9000-000000000000",
    }
    made = local_with(router="theirs", keypair="ours", floatingIps={"public": "192.0.2.9"}, releases=releases)
    there = {kind: frozenset[str]() for kind in ("router", "key pair", "floating IP", "volume")}
    lacking = shortfalls(made, replace(ENOUGH, there={**ENOUGH.there, **there}))
    assert lacking == [
        "router 'theirs' is not there; there are: none",
        "key pair 'ours' is not there; there are: none",
        "floating IP '192.0.2.9' is not there; there are: none",
        "volume '20e55581-ecd0-4a97-9000-000000000000' is not there; there are: none",
    ]
    found = needed(made, ENOUGH)
    assert (found["routers"], found["floating IPs"], found["volumes"]) == (0, 1, 0)


def test_a_stack_with_all_its_servers_is_complete() -> None:
    assert is_complete(PLAN, NODES | {"idr-local-other"})
    assert not is_complete(PLAN, NODES - {"idr-local-bastion"})
