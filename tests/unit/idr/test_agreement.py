"""`idr` compares cloud and state and makes them agree, on a fake cloud; a fake engine keeps the state."""

import json
import os
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

import pytest

from harness import stacks
from idr import agreement, engine, stack_file
from idr.cloud import CloudError, asking, connect
from idr.engine import EngineError
from idr.recover import lock, state_edit
from idr.recover.command import RecoverError, recover
from idr.recover.lock import LockError
from idr.state import State, of_export
from model.comparison import Adoption, CloudObject, Kind
from tests.fake_cloud.cloud import FakeCloud
from tests.fake_cloud.http import Answer, Call

ROOT_URN = "urn:pulumi:local::idr::pulumi:pulumi:Stack::idr-local"
INSTANCE = "openstack:compute/instance:Instance"
LABELS = {"idr_stack": "local"}


@dataclass
class Engine:
    """A state, and the engine's changes to it. `refused` is its message while a lock is held."""

    resources: list[dict[str, Any]] = field(default_factory=list)
    calls: list[tuple[str, ...]] = field(default_factory=list)
    refused: str = ""

    def knows(self, type_: str, name: str, id_: str, **more: Any) -> None:
        """Put a resource into the state."""
        urn = f"urn:pulumi:local::idr::{type_}::{name}"
        self.resources.append({"urn": urn, "type": type_, "id": id_, "custom": True, **more})

    def attempt(self, *arguments: str, text_input: str | None = None) -> subprocess.CompletedProcess[str]:
        """Do what `pulumi` does with these arguments."""
        self.calls.append(arguments)
        if self.refused and arguments[0] == "refresh":
            return subprocess.CompletedProcess(arguments, 1, "", self.refused)
        out = ""
        if arguments[:2] == ("stack", "export"):
            out = json.dumps({"version": 3, "deployment": {"resources": self.resources}})
        elif arguments[:2] == ("stack", "import") and text_input:
            self.resources = json.loads(text_input)["deployment"].get("resources", [])
        elif arguments[0] == "cancel":
            self.refused = ""
        elif arguments[0] == "refresh":
            gone = {urn for urn in arguments if urn.startswith("urn:")} - {ROOT_URN}
            self.resources = [one for one in self.resources if one["urn"] not in gone]
        elif arguments[0] == "config":
            out = "{}"
        elif arguments[0] == "whoami":
            out = json.dumps({"url": "file://state"})
        return subprocess.CompletedProcess(arguments, 0, out, "")


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeCloud]:
    with FakeCloud() as fake_cloud:
        for name, value in fake_cloud.environment().items():
            monkeypatch.setenv(name, value)
        yield fake_cloud


@pytest.fixture
def pulumi(monkeypatch: pytest.MonkeyPatch) -> Engine:
    stub_engine = Engine([{"urn": ROOT_URN, "type": "pulumi:pulumi:Stack", "custom": False}])
    monkeypatch.setattr(engine, "attempt", stub_engine.attempt)
    file = stack_file.StackFile("local", "Pulumi.local.yaml", stacks.settings("local"), {})
    monkeypatch.setattr("idr.stack_file.read", lambda _: file)
    return stub_engine


def server(cloud: FakeCloud, name: str, status: str, metadata: dict[str, str] | None = None) -> str:
    """Create a server in the cloud; return its id."""
    flavor = cloud.store.all("flavors")[0]["id"]
    rest: dict[str, Any] = {
        "image": "",
        "config_drive": "True",
        "tenant_id": "p",
        "user_id": "u",
        "tags": [],
        "key_name": None,
        "attached": [],
    }
    entry = cloud.store.add("servers", name=name, status=status, flavor_id=flavor, metadata=metadata or LABELS, **rest)
    return str(entry["id"])


def run() -> list[str]:
    """Recover the stack and answer yes; return the messages."""
    lines: list[str] = []
    recover("local", lines.append, lambda _: True)
    return lines


def test_of_the_servers_in_error_only_the_stacks_own_is_deleted(cloud: FakeCloud, pulumi: Engine) -> None:
    broken = server(cloud, "idr-local-demo1-redis", "ERROR")
    well = server(cloud, "idr-local-demo1-proxy", "ACTIVE")
    others = server(cloud, "idr-local-blue-demo1-redis", "ERROR", {"idr_stack": "local-blue"})
    pulumi.knows(INSTANCE, "demo1-redis", broken)
    pulumi.knows(INSTANCE, "demo1-proxy", well)
    messages = run()
    assert {one["id"] for one in cloud.store.all("servers")} == {well, others}
    assert [one["id"] for one in pulumi.resources if "id" in one] == [well]
    assert any("demo1-redis" in line and "deleted" in line for line in messages)


def test_nothing_is_done_when_the_operator_refuse(cloud: FakeCloud, pulumi: Engine) -> None:
    broken = server(cloud, "idr-local-demo1-redis", "ERROR")
    pulumi.knows(INSTANCE, "demo1-redis", broken)
    with pytest.raises(RecoverError, match="nothing was changed"):
        recover("local", lambda _: None, lambda _: False)
    assert [one["id"] for one in cloud.store.all("servers")] == [broken]
    assert not any(call[0] == "cancel" for call in pulumi.calls)


def test_a_stack_without_differences_is_left_alone(cloud: FakeCloud, pulumi: Engine) -> None:
    pulumi.knows(INSTANCE, "demo1-redis", server(cloud, "idr-local-demo1-redis", "ACTIVE"))
    assert run() == ["the state agrees with the cloud; now: pulumi up -s local"]
    assert len(pulumi.resources) == 2


def test_what_is_protected_and_not_listed_is_not_forgotten(cloud: FakeCloud, pulumi: Engine) -> None:
    assert cloud.store.all("volumes") == []
    pulumi.knows("openstack:blockstorage/volume:Volume", "demo1-database-db", "gone", protect=True)
    with pytest.raises(RecoverError, match="does not hold what the state protects"):
        run()
    assert len(pulumi.resources) == 2


def test_a_server_that_is_switched_off_is_known_and_stops_no_up(cloud: FakeCloud, pulumi: Engine) -> None:
    pulumi.knows(INSTANCE, "demo1-redis", server(cloud, "idr-local-demo1-redis", "SHUTOFF"), outputs={})
    agreed = asking(lambda: agreement.of(connect(lambda _: None), stacks.plan_of("local")))
    assert agreed.problems() == []
    assert agreed.switched_off() == ["demo1-redis"]


def test_a_server_that_is_gone_stops_no_up_but_another_object_does(cloud: FakeCloud, pulumi: Engine) -> None:
    assert cloud.store.all("servers") == []
    pulumi.knows(INSTANCE, "demo1-database", "s1")
    pulumi.knows("openstack:compute/volumeAttach:VolumeAttach", "demo1-database-db", "s1/v1")
    agreed = asking(lambda: agreement.of(connect(lambda _: None), stacks.plan_of("local")))
    assert agreed.problems() == []
    assert agreed.warnings() == ["server demo1-database was deleted from the project: `pulumi up` creates it again"]
    pulumi.knows("openstack:networking/port:Port", "demo1-database", "p1")
    agreed = asking(lambda: agreement.of(connect(lambda _: None), stacks.plan_of("local")))
    assert [line for line in agreed.problems() if line.startswith("- ")] == ["- port demo1-database (p1)"]


@pytest.mark.parametrize(
    ("message", "is_new"), [("error: no stack named 'local' found", True), ("error: incorrect passphrase", False)]
)
def test_only_a_stack_that_the_state_lacks_counts_as_new(
    cloud: FakeCloud, pulumi: Engine, monkeypatch: pytest.MonkeyPatch, message: str, is_new: bool
) -> None:
    assert cloud.store.all("servers") == []
    assert pulumi.resources
    answer = subprocess.CompletedProcess((), 255, "", message)
    monkeypatch.setattr(engine, "attempt", lambda *_, **__: answer)
    with nullcontext() if is_new else pytest.raises(EngineError, match="incorrect passphrase"):
        assert asking(lambda: agreement.disagreements(connect(lambda _: None), stacks.plan_of("local"))) == []


def test_nova_and_neutron_are_asked_at_the_same_time(cloud: FakeCloud, pulumi: Engine) -> None:
    assert pulumi.resources
    both = threading.Barrier(2, timeout=10)

    def wait_for_the_other(call: Call, answer: Callable[[Call], Answer]) -> Answer:
        if call.path.endswith(("/networks", "/servers/detail")):
            both.wait()
        return answer(call)

    cloud.between = wait_for_the_other
    comparison = asking(lambda: agreement.of(connect(lambda _: None), stacks.plan_of("local")))
    assert {one.name for one in comparison.listing if one.kind == Kind.SECURITY_GROUP} == {"default"}


def test_a_cloud_that_does_not_let_in_changes_nothing(
    cloud: FakeCloud, pulumi: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OS_PASSWORD", "wrong")
    with pytest.raises(CloudError, match="refuses these credentials"):
        run()
    assert cloud.calls == []
    assert not any(call[0] in ("cancel", "refresh") for call in pulumi.calls)


def test_what_was_deleted_to_be_replaced_is_not_known_any_more() -> None:
    # The engine keeps its entry until the successor exists, and does not refresh it.
    server = {"urn": "urn:pulumi:local::idr::t::db", "type": "openstack:compute/instance:Instance", "id": "s1"}
    assert of_export({"deployment": {"resources": [server]}}).servers()
    assert not of_export({"deployment": {"resources": [{**server, "pendingReplacement": True}]}}).servers()


@pytest.mark.parametrize(("status", "stops"), [("ACTIVE", True), ("SHUTOFF", False), (None, False)])
def test_a_machine_that_does_not_run_need_not_be_stopped_by_itself(
    cloud: FakeCloud, pulumi: Engine, status: str | None, stops: bool
) -> None:
    # As the present program declares it: its deletion needs a connection.
    command = {"create": "idr-apply", "delete": "idr-apply --stop"}
    pulumi.knows("command:remote:Command", "demo1-redis", "c1", inputs=command, outputs=command)
    if status:
        pulumi.knows(INSTANCE, "demo1-redis", server(cloud, "idr-local-demo1-redis", status))
    messages = run()
    assert ("delete" in pulumi.resources[1]["inputs"], "delete" in pulumi.resources[1]["outputs"]) == (stops, stops)
    assert ("do not stop: demo1-redis, whose machine does not run" in messages) is not stops


# The lock


def held(pulumi: Engine, host: str, pid: int) -> State:
    """Return the state, locked by an update."""
    pulumi.refused = f"{lock.LOCKED} by 1 lock(s). created by nina@{host} (pid {pid}) at 2026-01-01T00:00:00Z"
    return of_export({"deployment": {"resources": pulumi.resources}})


def ended() -> int:
    """Return the id of a process that has ended."""
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


def test_the_lock_of_an_update_that_ended_here_needs_no_question(cloud: FakeCloud, pulumi: Engine) -> None:
    held(pulumi, socket.gethostname(), ended())
    assert run()[0] == "the lock of an earlier update is removed"
    assert cloud.calls
    assert ("cancel", "--yes", "--stack", "local") in pulumi.calls


def test_the_lock_of_an_update_elsewhere_is_asked_about(pulumi: Engine) -> None:
    known = held(pulumi, "another.example.org", os.getpid())
    asked: list[str] = []

    def refuse(question: str) -> bool:
        asked.append(question)
        return False

    with pytest.raises(LockError, match="still locked"):
        lock.is_held("local", known, refuse)
    assert "nina@another.example.org" in asked[0]
    assert lock.is_held("local", known, lambda _: True)


def test_a_process_of_another_program_with_the_same_number_is_no_update(pulumi: Engine) -> None:
    assert lock.is_held("local", held(pulumi, socket.gethostname(), os.getpid()), lambda _: False)


def test_a_state_that_is_free_is_not_locked(pulumi: Engine) -> None:
    assert not lock.is_held("local", of_export({"deployment": {"resources": pulumi.resources}}), lambda _: False)
    assert not lock.is_held("local", State(()), lambda _: False)


def test_another_failure_of_the_engine_is_shown_as_it_is(pulumi: Engine) -> None:
    known = of_export({"deployment": {"resources": pulumi.resources}})
    pulumi.refused = "error: incorrect passphrase"
    with pytest.raises(EngineError, match="incorrect passphrase"):
        lock.is_held("local", known, lambda _: True)


# Adopting


def test_a_volume_is_adopted_where_its_node_is_known() -> None:
    adoption = Adoption(
        CloudObject(Kind.VOLUME, "the-id", "idr-local-demo1-database-db", "local", frozenset()), "demo1-database-db"
    )
    component = {
        "urn": "urn:pulumi:local::idr::idr:storage:DataVolume::demo1-database-db",
        "type": state_edit.COMPONENTS[Kind.VOLUME],
    }
    resource = {"urn": "urn:pulumi:local::idr::x::y", "type": INSTANCE, "provider": "the-provider::id"}
    export = {"deployment": {"resources": [component, resource]}}
    entry = state_edit.data_entry(export, adoption, protect=True)
    assert (entry["id"], entry["protect"], entry["parent"]) == ("the-id", True, component["urn"])
    assert entry["urn"] == (
        "urn:pulumi:local::idr::idr:storage:DataVolume$openstack:blockstorage/volume:Volume::demo1-database-db"
    )
    with pytest.raises(state_edit.StateError, match="existing: the-id"):
        state_edit.data_entry({"deployment": {"resources": [resource]}}, adoption, protect=True)
