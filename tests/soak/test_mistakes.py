"""More ordinary mistakes on a live stack; `make test` has one of each kind."""

import signal
from collections.abc import Callable
from typing import Any

import pytest

from tests.engine.test_mistakes import is_completed_after, is_refused, live, names_nothing
from tests.engine.test_recover import Place

__all__ = ["live"]

pytestmark = pytest.mark.engine


def another_network(config: dict[str, Any]) -> None:
    config["idr:externalNetwork"] = "publik"


def another_key_pair_of_a_new_machine(config: dict[str, Any]) -> None:
    config["idr:keypair"] = "nobody's"
    config["idr:releases"]["demo1"]["rebuild"] = {"redis": 7}


def another_zone(config: dict[str, Any]) -> None:
    config["idr:releases"]["demo1"]["nodes"]["redis"]["zone"] = "mars"


@pytest.mark.parametrize(
    ("mistake", "message"),
    [
        (another_network, "external network 'publik' does not exist"),
        (another_key_pair_of_a_new_machine, "key pair 'nobody's' does not exist"),
        (another_zone, "availability zone 'mars' does not exist"),
    ],
)
def test_a_name_that_the_cloud_does_not_have(
    live: Place, mistake: Callable[[dict[str, Any]], None], message: str
) -> None:
    names_nothing(live, mistake, message)


def test_a_cloud_that_does_not_answer(live: Place) -> None:
    is_refused(live, {"OS_AUTH_URL": "http://127.0.0.1:9/v3"}, "the cloud does not answer")


def test_an_update_whose_terminal_closes_is_completed(live: Place) -> None:
    is_completed_after(live, signal.SIGHUP)
