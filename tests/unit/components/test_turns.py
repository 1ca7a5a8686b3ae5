"""Which resources wait for which in an update, by their declarations."""

from typing import Any

from components.deployment import Deployment
from harness import stacks
from model.replacement import Order
from tests import declared

NAMES = ("prod130-omeroreadonly-1", "prod130-omeroreadonly-2", "prod130-omeroreadonly-3")


def waits(order: Order) -> dict[str, set[str]]:
    """Return for each server and configuration the configurations of other nodes for which it waits."""
    plan, secrets = stacks.plan_of("ebi"), stacks.secrets_of("ebi")
    requests: dict[str, Any] = declared.run(lambda: Deployment(plan, secrets, order), "ebi").requests
    by_resource: dict[str, set[str]] = {}
    for request in requests.values():
        kind = request.type.rsplit(":", 1)[-1]
        if request.type in ("command:remote:Command", "openstack:compute/instance:Instance"):
            others = (urn for urn in request.dependencies if "command:remote:Command" in urn)
            by_resource[f"{kind} {request.name}"] = {urn.rsplit("::", 1)[-1] for urn in others} - {request.name}
    return by_resource


def test_without_an_order_nothing_waits() -> None:
    assert not any(waits(Order()).values())


def test_each_configuration_of_a_group_waits_for_the_one_before_it() -> None:
    waiting = waits(Order(configurations=(NAMES,)))
    assert {name: others for name, others in waiting.items() if others} == {
        f"Command {NAMES[1]}": {NAMES[0]},
        f"Command {NAMES[2]}": {NAMES[1]},
    }


def test_each_server_waits_until_the_one_before_it_is_configured() -> None:
    waiting = waits(Order(servers=NAMES))
    assert {name: others for name, others in waiting.items() if others} == {
        f"Instance {NAMES[1]}": {NAMES[0]},
        f"Instance {NAMES[2]}": {NAMES[1]},
    }
