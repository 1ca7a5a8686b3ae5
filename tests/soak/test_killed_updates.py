"""The engine is killed while it creates, rebuilds and destroys machines: `recover` and the command again suffice.

tests/interruptions kills at every request, on a cloud without machines. Here machines boot and are configured.
"""

import re
import sys
import time
from collections.abc import Iterator

import pytest

from harness.cloud import tenant
from harness.cloud.asking import THUMBNAIL, answers
from harness.cloud.service import Service
from harness.cloud.tenant import Tenant
from tests.cloud.test_data import ROW
from tests.interruptions import ending, processes
from tests.interruptions.processes import Victim

pytestmark = pytest.mark.cloud

PROJECT = "idr-killed"
DATABASE = "demo1-database"
UP = ("up", "--stack", "local", "--yes", "--skip-preview")
DESTROY = ("destroy", "--stack", "local", "--yes", "--skip-preview")
CREATING = (
    rf"Instance {DATABASE} creating",
    rf"VolumeAttach {DATABASE}-db creating",
    rf"remote:Command {DATABASE} creating",
)
REBUILDING = (
    rf"Instance {DATABASE} deleting",
    rf"Instance {DATABASE} creating",
    rf"VolumeAttach {DATABASE}-db creating",
)
DESTROYING = (rf"VolumeAttach {DATABASE}-db deleting", rf"Instance {DATABASE} deleting")
"""Lines of the engine's output, in the order of a command. Each command is killed at each of its lines."""
MOMENT_SECONDS = 600


@pytest.fixture(scope="module")
def stack(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tenant]:
    """Return the stack `local` in another project, before its first `up`."""
    assert service.outputs
    created = tenant.make(tmp_path_factory.mktemp("killed"), PROJECT)
    yield created
    created.take_down()


def kill_at(stack: Tenant, command: tuple[str, ...], moment: str) -> None:
    """Kill the engine as soon as its output has a line."""
    engine = stack.start(*command)
    log = stack.folder / "running.log"
    end = time.monotonic() + MOMENT_SECONDS
    while not re.search(moment, log.read_text()):
        assert engine.poll() is None, f"there was no {moment!r}:\n{log.read_text()[-3000:]}"
        assert time.monotonic() < end, moment
        time.sleep(0.1)
    children = processes.descendants(engine.pid)
    processes.kill(engine.pid, Victim.ENGINE)
    engine.wait()
    processes.wait_for_end(children)


def volumes(stack: Tenant) -> set[str]:
    return ending.volumes(ending.held(stack.cloud()))


def recover(stack: Tenant) -> None:
    """Run the one command that the guide names."""
    done = stack.run(sys.executable, "-m", "idr", "recover", "--yes", "--stack", "local")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_creating_up_is_killed_again_and_again(stack: Tenant) -> None:
    for moment in CREATING:
        kill_at(stack, UP, moment)
        before = volumes(stack)
        recover(stack)
        assert before <= volumes(stack)
    stack.apply()
    assert ending.faults(ending.held(stack.cloud()), ending.known(stack), volumes(stack)) == []
    with stack.service().browser() as visitor:
        assert answers(visitor, THUMBNAIL)


def test_a_rebuild_is_killed_again_and_again_and_keeps_its_data(stack: Tenant) -> None:
    stack.service().on(DATABASE, ROW.format("create table kept as select 130 as release"))
    before = volumes(stack)
    releases = stack.settings("releases")
    for number, moment in enumerate(REBUILDING, 2):
        releases["demo1"]["rebuild"] = {"database": number}
        stack.configure(idr_releases=releases)
        kill_at(stack, UP, moment)
        recover(stack)
    stack.apply()
    assert ending.faults(ending.held(stack.cloud()), ending.known(stack), before) == []
    assert volumes(stack) == before
    assert stack.service().on(DATABASE, ROW.format("select release from kept")) == "130"
    with stack.service().browser() as visitor:
        assert answers(visitor, THUMBNAIL)


def test_a_destroy_is_killed_again_and_again_and_leaves_nothing(stack: Tenant) -> None:
    assert stack.pulumi("state", "unprotect", "--all", "--yes", "--stack", "local").returncode == 0
    for moment in DESTROYING:
        kill_at(stack, DESTROY, moment)
        recover(stack)
    done = stack.pulumi(*DESTROY)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not any(stack.listing().values()), stack.listing()
