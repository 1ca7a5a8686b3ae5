"""Killed updates, on the fake cloud: `recover` and `up` repair all of it.

`make soak` interrupts at every event. These events were the worst before `up` compared cloud and state.
"""

from collections.abc import Callable, Iterator

import pytest

from tests.fake_cloud.cloud import FakeCloud
from tests.interruptions.faults import are
from tests.interruptions.processes import Victim
from tests.interruptions.stage import Operation, Stage

pytestmark = pytest.mark.engine

StageOf = Callable[[Operation], Stage]


@pytest.fixture(scope="module")
def stage_of(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StageOf]:
    """Return the stage of an operation; create it at the first call."""
    stages: dict[Operation, Stage] = {}
    clouds: list[FakeCloud] = []

    def stage(operation: Operation) -> Stage:
        if operation not in stages:
            clouds.append(FakeCloud().__enter__())
            stages[operation] = Stage(clouds[-1], tmp_path_factory.mktemp(operation.name), operation)
        return stages[operation]

    yield stage
    for cloud in clouds:
        cloud.__exit__()


@pytest.mark.parametrize(
    ("operation", "victim", "request_", "number", "done"),
    [
        (Operation.CREATE, Victim.ENGINE, "POST network/security-group-rules", 5, True),
        (Operation.CREATE, Victim.ENGINE, "POST volume/volumes", 1, True),
        (Operation.CREATE, Victim.ENGINE, "POST compute/servers", 2, True),
        (Operation.CREATE, Victim.PROVIDER, "PUT network/routers/add_router_interface", 1, True),
        (Operation.REBUILD, Victim.ENGINE, "DELETE compute/servers", 1, False),
        (Operation.REBUILD, Victim.ENGINE, "POST compute/servers", 1, True),
        (Operation.SWITCH, Victim.ENGINE, "PUT network/floatingips", 1, True),
        (Operation.DESTROY, Victim.ENGINE, "DELETE compute/servers", 2, True),
    ],
)
def test_a_killed_update_is_put_right(
    stage_of: StageOf, operation: Operation, victim: Victim, request_: str, number: int, done: bool
) -> None:
    ended = stage_of(operation).killed(victim, number, done=done, counts=are(request_))
    assert ended.interrupted != 0
    ended.check()
