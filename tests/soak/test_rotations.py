"""Passwords, certificates and settings change: for how many seconds visitors are not served."""

from collections.abc import Callable

import pytest

from harness import stacks
from harness.cloud.asking import asking
from harness.cloud.tenant import Tenant
from harness.steps import lines_of

pytestmark = pytest.mark.cloud

RELEASE = "demo1"
Change = Callable[[Tenant], None]


def renewed(*names: str) -> Change:
    return lambda stack: stack.renew(*names)


SECRETS = f"password/{RELEASE}"


def another_operator(stack: Tenant) -> None:
    stack.configure(idr_operators=[stacks.NEW_OPERATOR])


def other_memory(stack: Tenant) -> None:
    """Change PostgreSQL's shared memory, which restarts it, and a limit of Redis, which does not restart it."""
    flavors = stacks.values("local")["flavors"]
    flavors["local.small"]["memoryMib"] = 700
    stack.configure(idr_flavors=flavors)


def another_public_password(stack: Tenant) -> None:
    stack.configure(idr_publicPassword="another")


# Each change, and for how many seconds visitors may be without their page.
CHANGES: dict[str, tuple[Change, float]] = {
    "passwords of the database and of Redis": (renewed(f"{SECRETS}/database/omero", f"{SECRETS}/redis"), 60),
    "the database's password": (renewed(f"{SECRETS}/database/omero"), 60),
    "Redis' password": (renewed(f"{SECRETS}/redis"), 60),
    "the public user's password": (another_public_password, 60),
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
    seconds = seconds_of_failure(second, change, most)
    record_property(f"seconds of failed requests: {what}", f"{seconds:.1f}")


def seconds_of_failure(stack: Tenant, change: Change, most: float) -> float:
    """Change a running stack in place; return the seconds without pages for visitors, `most` at most."""
    servers = stack.servers()
    change(stack)
    with asking(stack.service()) as asked:
        steps = stack.apply()
    assert steps, "nothing was changed"
    assert {(step.op, step.kind) for step in steps} == {("update", "Command")}, lines_of(steps)
    assert stack.servers() == servers
    assert not asked.answers[-1][1]
    assert asked.seconds_of_failure <= most, asked.failures
    return asked.seconds_of_failure
