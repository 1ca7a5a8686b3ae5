"""The order in which an update interrupts nodes."""

from dataclasses import replace
from typing import Any

import pytest

from harness import stacks
from model.plan import Plan
from model.planning import plan
from model.reading import Source, parse
from model.replacement import DeployedServer, Order, order, replaced


def deployed(stack_plan: Plan) -> dict[str, DeployedServer]:
    """Return the servers of a plan after an `up` of it."""
    return {
        node.name: DeployedServer(node.image, str(node.rebuild), node.zone, node.flavor_name, 1)
        for node in stack_plan.nodes
    }


PLAN = stacks.plan_of("local")
AS_PLANNED = deployed(PLAN)
OTHER = {
    "image": {name: replace(was, image="idr-debian-11") for name, was in AS_PLANNED.items()},
    "flavor": {name: replace(was, flavor="local.tiny") for name, was in AS_PLANNED.items()},
}


def with_nodes(**nodes: list[str]) -> Plan:
    """Return the stack `local` with groups of two nodes that have these roles."""
    values = stacks.values("local")
    for name, roles in nodes.items():
        values["releases"]["demo1"]["nodes"][name] = {"roles": roles, "flavor": "local.medium", "count": 2}
    return plan(parse(values, Source("local", "Pulumi.local.yaml")), "local")


def test_a_first_creation_and_an_update_without_interruptions_have_no_order() -> None:
    assert order(PLAN, {}) == Order()
    assert order(PLAN, AS_PLANNED) == Order()


@pytest.mark.parametrize("changed", OTHER)
def test_another_image_or_flavor_interrupts_the_bastion_first(changed: str) -> None:
    servers = order(PLAN, OTHER[changed]).servers
    assert servers[0] == "bastion"
    assert sorted(servers) == sorted(node.name for node in PLAN.nodes)


@pytest.mark.parametrize("change", [{"zone": "nova"}, {"ports": 2}])
def test_another_zone_or_network_replaces_a_server(change: dict[str, Any]) -> None:
    values = stacks.values("local")
    values["releases"]["demo1"]["nodes"]["redis"]["zone"] = "other"
    stack_plan = plan(parse(values, Source("local", "Pulumi.local.yaml")), "local")
    was = deployed(stack_plan)
    assert order(stack_plan, {**was, "demo1-redis": replace(was["demo1-redis"], **change)}).servers == ("demo1-redis",)


def test_another_image_replaces_a_server_and_another_flavor_does_not() -> None:
    assert replaced(PLAN, AS_PLANNED) == set()
    assert replaced(PLAN, OTHER["image"]) == set(AS_PLANNED)
    assert replaced(PLAN, OTHER["flavor"]) == set()


@pytest.mark.parametrize("name", AS_PLANNED)
def test_a_rebuild_number_replaces_that_node_alone(name: str) -> None:
    assert order(PLAN, {**AS_PLANNED, name: replace(AS_PLANNED[name], rebuild="7")}).servers == (name,)


@pytest.mark.parametrize("frozen", [False, True])
def test_a_server_that_was_deleted_in_the_cloud_is_recreated(frozen: bool) -> None:
    stack_plan = replace(PLAN, releases=tuple(replace(release, frozen=frozen) for release in PLAN.releases))
    name = "demo1-redis"
    orders = order(stack_plan, {**AS_PLANNED, name: replace(AS_PLANNED[name], id="id", deleted=True)})
    assert orders.deleted == {name: "id"}
    assert orders.servers == (() if frozen else (name,))


def test_a_node_without_a_server_does_not_wait() -> None:
    without = {name: was for name, was in OTHER["image"].items() if name != "demo1-redis"}
    assert "demo1-redis" not in order(PLAN, without).servers


def test_a_frozen_release_is_not_interrupted() -> None:
    stack_plan = with_nodes(omeroreadonly=["omero-readonly", "web"])
    frozen = replace(stack_plan, releases=tuple(replace(release, frozen=True) for release in stack_plan.releases))
    was = {name: replace(one, image="idr-debian-11") for name, one in deployed(stack_plan).items()}
    assert order(frozen, was) == Order(servers=("bastion",))


@pytest.mark.parametrize(
    ("nodes", "expected"),
    [
        ({"omeroreadonly": ["omero-readonly", "web"]}, {("demo1-omeroreadonly-1", "demo1-omeroreadonly-2")}),
        (
            {"omeroreadonly": ["omero-readonly"], "pages": ["web"]},
            {("demo1-omeroreadonly-1", "demo1-omeroreadonly-2"), ("demo1-pages-1", "demo1-pages-2")},
        ),
    ],
)
def test_nodes_that_answer_the_same_requests_are_configured_one_after_another(
    nodes: dict[str, list[str]], expected: set[tuple[str, ...]]
) -> None:
    stack_plan = with_nodes(**nodes)
    assert set(order(stack_plan, deployed(stack_plan)).configurations) == expected


def test_a_node_that_is_added_is_not_waited_for() -> None:
    stack_plan = with_nodes(omeroreadonly=["omero-readonly", "web"])
    before = {name: was for name, was in deployed(stack_plan).items() if name != "demo1-omeroreadonly-2"}
    assert order(stack_plan, before).configurations == ()


def test_both_orders_agree() -> None:
    """Otherwise the engine would wait for ever: a server for a configuration that waits for that server."""
    stack_plan = with_nodes(omeroreadonly=["omero-readonly"], pages=["web"])
    orders = order(
        stack_plan, {name: replace(was, image="idr-debian-11") for name, was in deployed(stack_plan).items()}
    )
    for group in orders.configurations:
        assert [name for name in orders.servers if name in group] == list(group)
