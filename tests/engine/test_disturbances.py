"""Disturbed answers of an `up` that creates a stack, on the fake cloud: `recover` and `up` repair all of it.

The soak disturbs more answers. These were the worst before `up` compared cloud and state.
"""

from collections.abc import Iterator

import pytest

from tests.fake_cloud.cloud import FakeCloud
from tests.interruptions.faults import Fault, are
from tests.interruptions.stage import Operation, Stage

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Prepare a stack before its first `up`."""
    with FakeCloud() as cloud:
        yield Stage(cloud, tmp_path_factory.mktemp("create"), Operation.CREATE)


@pytest.mark.parametrize(
    ("fault", "request_", "number"),
    [
        (Fault.TOO_MANY, "POST identity/auth/tokens", 2),
        (Fault.BUSY, "GET image/images", 2),
        (Fault.CUT_AFTER, "PUT network/routers/add_router_interface", 1),
        (Fault.TRUNCATED, "POST network/ports", 2),
        (Fault.CUT_AFTER, "POST volume/volumes", 1),
        (Fault.CUT_AFTER, "POST compute/servers/os-volume_attachments", 1),
    ],
)
def test_a_disturbed_answer_is_put_right(stage: Stage, fault: Fault, request_: str, number: int) -> None:
    stage.disturbed(fault, are(request_), number).check()
