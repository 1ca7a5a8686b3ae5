"""Shortfalls of a cloud: all of them at once, none when nothing is left to create."""

from dataclasses import replace

from model.capacity import Offer, Quota, shortfalls
from tests import stacks

PLAN = stacks.plan_of("local")
NODES = frozenset(f"idr-local-{node.name}" for node in PLAN.nodes)
ENOUGH = Offer(
    images=frozenset({"idr-debian-12"}),
    flavors={node.flavor_name: node.flavor for node in PLAN.nodes},
    external_networks=frozenset({"public"}),
    quotas={"instances": Quota(10, 5), "volumes": Quota(-1, 99), "floating IPs": Quota(2, 0)},
    servers=frozenset(),
    volumes=frozenset(),
    floating_ips=0,
)


def test_a_cloud_with_everything_lacks_nothing() -> None:
    assert shortfalls(PLAN, ENOUGH) == []


def test_every_shortfall_is_told_at_once() -> None:
    poor = replace(
        ENOUGH,
        images=frozenset({"other"}),
        flavors={"local.medium": PLAN.bastion_node.flavor},
        external_networks=frozenset(),
        quotas={"instances": Quota(10, 6), "floating IPs": Quota(3, 2)},
    )
    assert shortfalls(PLAN, poor) == [
        "image 'idr-debian-12' is not there; there are: other",
        "flavor 'local.medium' has 1 vCPU and 768 MiB, the settings say 2 and 2048",
        "flavor 'local.small' is not there; there are: local.medium",
        "external network 'public' is not there; there are: none",
        "quota of instances: 5 more needed, 4 left of 10",
        "quota of floating IPs: 2 more needed, 1 left of 3",
    ]


def test_what_is_there_already_needs_no_quota() -> None:
    half = replace(ENOUGH, servers=NODES - {"idr-local-bastion"}, quotas={"instances": Quota(5, 4)})
    assert shortfalls(PLAN, half) == []


def test_a_finished_stack_asks_for_nothing() -> None:
    assert shortfalls(PLAN, replace(ENOUGH, images=frozenset(), servers=NODES)) == []
