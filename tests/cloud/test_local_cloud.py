"""What other tests require of the local cloud itself."""

import subprocess
from collections.abc import Iterator

import httpx
import pytest

from dev.cloud import control, layout
from dev.cloud.layout import State
from harness.cloud.service import Service

pytestmark = pytest.mark.cloud

PORT = "lowest"
JOIN = f"""
ip link add {PORT} type veth peer name {PORT}-peer
ip link set {PORT} address 02:00:00:00:00:01
ip link set {PORT} master br-ex up
"""
LEAVE = f"ip link del {PORT}"
SECONDS = 5


@pytest.fixture
def cloud(service: Service) -> Iterator[State]:
    """Return the state folder of the cloud with the service; the port is deleted afterwards."""
    assert service.outputs
    state = State.at(None)
    yield state
    subprocess.run(control.enter(state, ["sh", "-c", LEAVE]), check=False, capture_output=True)


def test_the_apis_answer_while_machines_join_and_leave_the_external_network(cloud: State) -> None:
    def ask() -> int:
        return httpx.get(layout.URLS["keystone"], timeout=SECONDS, trust_env=False).status_code

    for change in (JOIN, LEAVE):
        subprocess.run(control.enter(cloud, ["sh", "-ec", change]), check=True)
        assert ask() == httpx.codes.OK
