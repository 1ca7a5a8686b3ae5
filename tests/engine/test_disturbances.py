"""Answers of a creating `up` that are disturbed, on the fake cloud: `recover` and `up` put all of it right.

The soak disturbs more of them; here are those that were the worst before cloud and state were compared.
"""

from collections.abc import Iterator

import pytest

from tests.fake_cloud.cloud import FakeCloud
from tests.interruptions.faults import Fault, are
from tests.interruptions.stage import Operation, Stage

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A stack before its first `up`."""
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
