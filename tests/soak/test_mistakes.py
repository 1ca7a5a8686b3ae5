"""More common mistakes with a live stack; `make test` has one of each kind."""

import signal
from collections.abc import Callable
from typing import Any

import pytest

from tests.engine.recovery import Deployment
from tests.engine.test_mistakes import is_completed_after, is_refused, live, names_nothing

__all__ = ["live"]

pytestmark = pytest.mark.engine


def another_network(config: dict[str, Any]) -> None:
    config["idr:externalNetwork"] = "publik"


def another_key_pair_of_a_new_machine(config: dict[str, Any]) -> None:
    config["idr:keypair"] = "nobody's"
    config["idr:releases"]["demo1"]["rebuild"] = {"redis": 7}


def another_zone(config: dict[str, Any]) -> None:
    config["idr:releases"]["demo1"]["nodes"]["redis"]["zone"] = "mars"


def another_cidr(config: dict[str, Any]) -> None:
    config["idr:releases"]["demo1"]["cidr"] = "10.130.9.0/24"


def another_order_of_roles(config: dict[str, Any]) -> None:
    config["idr:releases"]["demo1"]["nodes"]["omeroreadwrite"]["roles"] = ["web", "omero-readwrite"]


def a_count(config: dict[str, Any]) -> None:
    config["idr:releases"]["demo1"]["nodes"]["proxy"]["count"] = 2


@pytest.mark.parametrize(
    ("mistake", "message"),
    [
        (another_cidr, "the nodes of demo1 are not in the network that its cidr 10.130.9.0/24"),
        (another_order_of_roles, "demo1-omeroreadwrite has the address 10.130.1.40"),
        (a_count, "address 10.130.1.50 of demo1-proxy-1 is still that of 'idr-local-demo1-proxy'"),
        (another_network, "external network 'publik' does not exist"),
        (another_key_pair_of_a_new_machine, "key pair 'nobody's' does not exist"),
        (another_zone, "availability zone 'mars' does not exist"),
    ],
)
def test_a_name_that_the_cloud_does_not_have(
    live: Deployment, mistake: Callable[[dict[str, Any]], None], message: str
) -> None:
    names_nothing(live, mistake, message)


def test_a_cloud_that_does_not_answer(live: Deployment) -> None:
    is_refused(live, {"OS_AUTH_URL": "http://127.0.0.1:9/v3"}, "the cloud does not answer")


def test_an_update_whose_terminal_closes_is_completed(live: Deployment) -> None:
    is_completed_after(live, signal.SIGHUP)
