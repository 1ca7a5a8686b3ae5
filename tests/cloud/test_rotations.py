"""Passwords, certificates, operators' keys and tuning change: for how many seconds visitors are not served."""

from collections.abc import Callable

import pytest

from tests import stacks
from tests.cloud.asking import asking
from tests.cloud.tenant import Tenant
from tests.steps import said

pytestmark = pytest.mark.cloud

RELEASE = "demo1"
Change = Callable[[Tenant], None]


def renewed(*names: str) -> Change:
    return lambda place: place.renew(*names)


def another_operator(place: Tenant) -> None:
    place.configure(idr_operators=[stacks.OPERATOR])


def other_memory(place: Tenant) -> None:
    """Another shared memory for PostgreSQL, which takes a restart of it; another limit for Redis, which does not."""
    flavors = stacks.values("local")["flavors"]
    flavors["local.small"]["memoryMib"] = 700
    place.configure(idr_flavors=flavors)


# What is changed, and for how many seconds visitors may be without their page.
CHANGES: dict[str, tuple[Change, float]] = {
    "the database's password": (renewed(f"password/{RELEASE}/database/omero"), 60),
    "Redis' password": (renewed(f"password/{RELEASE}/redis"), 60),
    "the proxy's certificate": (renewed(f"tls/{RELEASE}-proxy"), 0),
    "the database's certificate": (renewed(f"tls/{RELEASE}-database"), 0),
    "an operator's key": (another_operator, 0),
    "tuning": (other_memory, 10),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_replaces_no_server_and_visitors_wait_for_seconds_at_most(
    second: Tenant, what: str, record_property: Callable[[str, object], None]
) -> None:
    change, most = CHANGES[what]
    servers = second.servers()
    change(second)
    with asking(second.service()) as asked:
        steps = second.apply()
    record_property(f"seconds of failed requests: {what}", f"{asked.seconds_of_failure:.1f}")
    assert steps, "nothing was changed"
    assert {(step.op, step.kind) for step in steps} == {("update", "Command")}, said(steps)
    assert second.servers() == servers
    assert not asked.answers[-1][1]
    assert asked.seconds_of_failure <= most, asked.failures
