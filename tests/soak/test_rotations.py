"""Each kind of change in place, alone: for how many seconds visitors are not served."""

from collections.abc import Callable

import pytest

from tests import stacks
from tests.cloud.tenant import Tenant
from tests.cloud.test_rotations import RELEASE, SECRETS, Change, renewed, seconds_of_failure

pytestmark = pytest.mark.cloud


def another_operator(place: Tenant) -> None:
    place.configure(idr_operators=[stacks.OPERATOR])


def other_memory(place: Tenant) -> None:
    """Another shared memory for PostgreSQL, which takes a restart of it; another limit for Redis, which does not."""
    flavors = stacks.values("local")["flavors"]
    flavors["local.small"]["memoryMib"] = 700
    place.configure(idr_flavors=flavors)


def another_public_password(place: Tenant) -> None:
    place.configure(idr_publicPassword="another")


CHANGES: dict[str, tuple[Change, float]] = {
    "the database's password": (renewed(f"{SECRETS}/database/omero"), 60),
    "Redis' password": (renewed(f"{SECRETS}/redis"), 60),
    "the public user's password": (another_public_password, 60),
    "the proxy's certificate": (renewed(f"tls/{RELEASE}-proxy"), 0),
    "the database's certificate": (renewed(f"tls/{RELEASE}-database"), 0),
    "an operator's key": (another_operator, 0),
    "tuning": (other_memory, 10),
}


@pytest.mark.parametrize("what", CHANGES)
def test_visitors_wait_for_seconds_at_most(
    second: Tenant, what: str, record_property: Callable[[str, object], None]
) -> None:
    seconds = seconds_of_failure(second, *CHANGES[what])
    record_property(f"seconds of failed requests: {what}", f"{seconds:.1f}")
