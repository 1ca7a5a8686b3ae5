"""The order in which servers are replaced."""

from dataclasses import replace

import pytest

from model.replacement import Deployed, turns
from tests import stacks

PLAN = stacks.plan_of("local")
AS_PLANNED = {node.name: Deployed(node.image, str(node.rebuild), node.zone) for node in PLAN.nodes}
OTHER = {name: replace(deployed, image="idr-debian-11") for name, deployed in AS_PLANNED.items()}


def test_a_first_creation_and_an_update_without_replacements_have_no_turns() -> None:
    assert turns(PLAN, {}) == ()
    assert turns(PLAN, AS_PLANNED) == ()


def test_another_image_replaces_the_bastion_first() -> None:
    order = turns(PLAN, OTHER)
    assert order[0] == "bastion"
    assert sorted(order) == sorted(node.name for node in PLAN.nodes)


@pytest.mark.parametrize("name", AS_PLANNED)
def test_a_rebuild_number_replaces_that_node_alone(name: str) -> None:
    assert turns(PLAN, {**AS_PLANNED, name: replace(AS_PLANNED[name], rebuild="7")}) == (name,)


def test_a_node_without_a_server_does_not_wait() -> None:
    without = {name: deployed for name, deployed in OTHER.items() if name != "demo1-redis"}
    assert "demo1-redis" not in turns(PLAN, without)


def test_a_frozen_release_is_not_replaced() -> None:
    frozen = replace(PLAN, releases=tuple(replace(release, frozen=True) for release in PLAN.releases))
    assert turns(frozen, OTHER) == ("bastion",)
