"""A stack that is restored before each interruption, and the commands that are interrupted."""

import copy
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any

import openstack

from tests.fake_cloud.cloud import FakeCloud, Service
from tests.fake_cloud.http import Answer, Call, CutError
from tests.fake_cloud.project import STACK, local_stack
from tests.interruptions import ending, processes
from tests.interruptions.faults import Counts, Fault, Interruption, between, changes
from tests.interruptions.processes import Victim

UP = ("up", "--yes", "--skip-preview", "--suppress-outputs", "--stack", STACK)
DESTROY = ("destroy", "--yes", "--skip-preview", "--stack", STACK)
NEXT = "demo2"


class Operation(StrEnum):
    """A command that is interrupted."""

    CREATE = "creating up"
    REBUILD = "rebuild"
    SWITCH = "switch of the live release"
    DESTROY = "destroy"


@dataclass(frozen=True)
class Ending:
    """The end of an interruption. `request` is the event, `faults` are what is wrong; empty if all is well."""

    request: str
    interrupted: int
    recovered: int
    completed: int
    faults: tuple[str, ...]
    output: str = field(repr=False, default="")

    @property
    def is_good(self) -> bool:
        """Return whether `up` succeeded and cloud and state agree."""
        return not (self.recovered or self.completed or self.faults)

    def check(self) -> None:
        """Fail unless that event happened and the deployment ended well."""
        assert self.request, "there were fewer of these requests"
        assert self.is_good, f"{self}\n{self.output}"


class Stage:
    """The stack `local` on a fake cloud, before an operation."""

    def __init__(self, cloud: FakeCloud, folder: Path, operation: Operation) -> None:
        self.cloud, self.operation = cloud, operation
        self.project = local_stack(cloud, folder)
        if operation == Operation.SWITCH:
            self.project.change(_add_release)
        if operation == Operation.DESTROY:
            self.project.change(lambda config: config.update({"idr:protectData": False}))
        if operation != Operation.CREATE:
            done = self.project.pulumi(*UP)
            assert done.returncode == 0, done.stdout
        change = CHANGES.get(operation)
        if change:
            self.project.change(change)
        cloud.store.settle()
        self._kinds = copy.deepcopy(cloud.store._kinds)
        shutil.copytree(self._state, folder / "state.before")
        self._volumes = ending.volumes(ending.held(self.connection))

    @property
    def _state(self) -> Path:
        return self.project.folder / "state"

    @cached_property
    def connection(self) -> "openstack.connection.Connection":
        """Connect to the cloud's API."""
        names = {"OS_USERNAME": "username", "OS_PASSWORD": "password", "OS_PROJECT_NAME": "project_name"}
        auth = {key: self.project.variables[name] for name, key in names.items()}
        domains = {"user_domain_name": "Default", "project_domain_name": "Default"}
        auth |= {"auth_url": self.cloud.auth_url, **domains}
        return openstack.connect(load_yaml_config=False, load_envvars=False, auth=auth, region_name="one")

    def events(self) -> list[str]:
        """Return the requests that change the cloud when nothing interrupts; their order varies a little."""
        self.put_back()
        watch = Interruption(changes, 0, lambda call, service: service(call))
        with between(self.cloud, watch):
            done = self.project.pulumi(*self.command)
        assert done.returncode == 0, done.stdout
        return watch.names

    @property
    def command(self) -> tuple[str, ...]:
        """Return the command that is interrupted."""
        return DESTROY if self.operation == Operation.DESTROY else UP

    def put_back(self) -> None:
        """Restore cloud and state from before the operation."""
        self.cloud.store.replace(copy.deepcopy(self._kinds))
        shutil.rmtree(self._state)
        shutil.copytree(self.project.folder / "state.before", self._state)

    def killed(self, victim: Victim, number: int, *, done: bool, counts: Counts = changes) -> Ending:
        """Kill a process at an event, before its request is carried out or (`done`) after; then repair by `recover`."""
        self.put_back()
        engine = self.project.start(*self.command)
        left: list[int] = []

        def kill() -> None:
            left.extend(processes.descendants(engine.pid))
            processes.kill(engine.pid, victim)

        def act(call: Call, service: Service) -> Answer:
            if victim in (Victim.PROGRAM, Victim.LANGUAGE):
                # These do not use the cloud: their request is answered.
                kill()
                return service(call)
            if done:
                service(call)
            kill()
            raise CutError

        interruption = Interruption(counts, number, act)
        with between(self.cloud, interruption):
            status = engine.wait()
            processes.wait_for_end(left)
        return self._put_right(interruption, status, (self.project.folder / "running.log").read_text())

    def disturbed(self, fault: Fault, counts: Counts, number: int) -> Ending:
        """Disturb one answer of the command; then repair with `recover`."""
        self.put_back()
        interruption = Interruption(counts, number, fault.apply)
        with between(self.cloud, interruption):
            done = self.project.pulumi(*self.command)
        return self._put_right(interruption, done.returncode, done.stdout + done.stderr)

    def _put_right(self, interruption: Interruption, status: int, output: str) -> Ending:
        kept = ending.volumes(ending.held(self.connection)) | self._volumes
        if self.operation == Operation.DESTROY:
            kept = set()
        if status:
            recover = self.project.run(sys.executable, "-m", "idr", "recover", "--yes", "--stack", STACK)
        else:
            recover = subprocess.CompletedProcess((), 0, "", "")
        up = self.project.pulumi(*UP)
        wrong = ending.faults(ending.held(self.connection), ending.known(self.project), kept)
        texts = (output, recover.stdout + recover.stderr, up.stdout + up.stderr)
        return Ending(
            interruption.name, status, recover.returncode, up.returncode, tuple(wrong), "\n-----\n".join(texts)
        )


def _add_release(config: dict[str, Any]) -> None:
    """Add a second release on one machine beside the live one."""
    roles = ["database", "redis", "omero-readwrite", "web", "proxy"]
    nodes = {"omero": {"roles": roles, "flavor": "local.medium", "volumes": {"db": {"sizeGib": 1}}}}
    config["idr:releases"][NEXT] = {"cidr": "10.130.2.0/24", "nodes": nodes}
    config["idr:live"] = "demo1"


def _rebuild(config: dict[str, Any]) -> None:
    config["idr:releases"]["demo1"]["rebuild"] = {"database": 2}


CHANGES: dict[Operation, Callable[[dict[str, Any]], None]] = {
    Operation.REBUILD: _rebuild,
    Operation.SWITCH: lambda config: config.update({"idr:live": NEXT}),
}
"""By operation: the change of the settings before the command that is interrupted."""
