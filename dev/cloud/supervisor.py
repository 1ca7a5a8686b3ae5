"""Start the cloud inside its namespaces, keep its services running, and stop it in order."""

import functools
import json
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import FrameType

from dev.cloud import bootstrap, layout, namespace, services
from dev.cloud.layout import Choice, Kind, State, write_private
from dev.cloud.process import CloudError, listening, run, surroundings, until
from dev.cloud.render import socket
from dev.cloud.services import Service

_RESTARTS = 5
"""How often a service is restarted before the supervisor gives up; `status` shows it."""
_GUEST_SECONDS = 20
"""Seconds that guests have to shut down."""


class Supervisor:
    """The running services of one cloud."""

    def __init__(self, state: State, choice: Choice) -> None:
        self._state, self._choice = state, choice
        self._running: dict[str, tuple[Service, subprocess.Popen[bytes]]] = {}
        self._restarts: dict[str, int] = {}
        self._started = time.monotonic()
        self.stopping = threading.Event()

    def report(self, text: str) -> None:
        """Print a line for the process that waits for the cloud."""
        with (self._state.run / "progress").open("a") as file:
            file.write(f"{time.monotonic() - self._started:6.1f} s  {text}\n")

    def start(self, group: Sequence[Service]) -> None:
        """Start services without waiting for them."""
        for service in group:
            with (self._state.log / f"{service.name}.log").open("ab") as log:
                process = subprocess.Popen(
                    service.argv,
                    env=surroundings(self._state) | service.env,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    cwd="/",
                )
            self._running[service.name] = (service, process)
        self._record()

    def _record(self) -> None:
        """Record the processes for `status`."""
        known = {
            name: {"pid": process.pid, "alive": process.poll() is None, "restarts": self._restarts.get(name, 0)}
            for name, (_, process) in self._running.items()
        }
        write_private(self._state.run / "services.json", json.dumps(known))

    def _wait(self, group: Sequence[Service]) -> None:
        for service in group:
            if service.port:
                what = f"{service.name} (see {self._state.log}/{service.name}.log)"
                until(what, functools.partial(listening, service.port), 120)

    def bring_up(self) -> None:
        """Start all services, with no data or with data of an earlier run, until the cloud can be used.

        Raises CloudError if a part of it did not start.
        """
        state, choice = self._state, self._choice
        (state.run / "started").touch()
        namespace.prepare(state)
        # The message bus has only messages in transit: it is started empty, so it has nothing to recover.
        shutil.rmtree(state.root / "rabbit", ignore_errors=True)
        for folder in ("rabbit", "run/lock"):
            state.folder(folder)
        bootstrap.database_files(state)
        self.start(services.base(state))
        self.report("database, message bus and cache started")
        until("mariadb", self._database_answers, 60)
        bootstrap.schemas(state, self.report)
        bootstrap.identity(state)
        self.start([services.keystone(state)])
        until("rabbitmq", lambda: listening(5672, "127.0.0.1"), 60)
        others = services.apis(state)
        self.start(others)
        self.start(services.hypervisor(state, choice))
        self._wait([services.keystone(state)])
        self.report("identity answers; the other APIs are starting")
        self._seed("identity")
        self.start(services.conductors(state))
        # Not before Neutron listens: an agent's first request would be lost, and it waits a minute for the answer.
        self._wait(others)
        self.report("all APIs answer; agents and computes are starting")
        self.start(services.agents(state))
        if choice.kind is not Kind.NONE:
            until("libvirtd", Path("/run/libvirt/libvirt-sock").exists, 60)
        for host in choice.hosts:
            (state.disks / "nova" / host).mkdir(exist_ok=True)
        if state.done("seed-resources").exists():
            # Guests of an earlier run start with their compute, and request their addresses immediately.
            self._seed("agents")
        self.start(services.computes(state, choice))
        self._seed("resources")
        self._seed("ready")
        # The scheduler finds new hosts every few seconds; before that, servers for such a host end in ERROR.
        bootstrap.map_hosts(state)

    def _database_answers(self) -> bool:
        try:
            run(self._state, ["mariadb-admin", "--no-defaults", f"--socket={socket()}", "ping"])
        except CloudError:
            return False
        return True

    def _seed(self, phase: str) -> None:
        """Run a phase of `seed`, whose output is progress. Phases that create objects run once."""
        done = self._state.done(f"seed-{phase}")
        waits = phase in ("agents", "ready")
        if done.exists() and not waits:
            return
        argv = [sys.executable, "-u", "-m", "dev.cloud.seed", str(self._state.root), phase]
        env = surroundings(self._state) | {"PYTHONPATH": str(layout.CHECKOUT)}
        with subprocess.Popen(
            argv, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True
        ) as process:
            last = ""
            for line in process.stdout or ():
                last = line.strip()
                if waits:
                    self.report(last)
        if process.returncode:
            raise CloudError(f"setting up {phase}: {last}")
        done.touch()

    def watch(self) -> None:
        """Restart services that ended, until SIGTERM."""
        while not self.stopping.wait(1):
            for name, (service, process) in list(self._running.items()):
                count = self._restarts.get(name, 0)
                if process.poll() is None or count > _RESTARTS:
                    continue
                self._restarts[name] = count + 1
                if count < _RESTARTS:
                    self.report(f"{name} ended with {process.returncode}: started again")
                    self.start([service])
                else:
                    self.report(f"{name} keeps ending: left alone, see {self._state.log}/{name}.log")
                    self._record()

    def take_down(self) -> None:
        """Stop guests like a machine that shuts down, then all services."""
        # Computes first: otherwise they would record in the database that somebody stopped the guests.
        self._end([name for name in self._running if name.startswith("nova-compute")])
        if self._choice.kind is not Kind.NONE and Path("/run/libvirt/libvirt-sock").exists():
            self._stop_guests()
        self._end([name for name in self._running if name != "mariadb"])
        self._end(["mariadb"])
        run(self._state, ["/bin/sh", "-c", f"umount -R {self._state.disks}/nova/instances/*/rootfs; sync; true"])
        for loop in namespace.guest_loops(self._state):
            run(self._state, ["losetup", "-d", loop])

    def _stop_guests(self) -> None:
        uri = "lxc:///" if self._choice.kind is Kind.CONTAINER else "qemu:///system"

        def guests() -> list[str]:
            return run(self._state, ["virsh", "-c", uri, "list", "--name"]).split()

        def stop(command: str, name: str) -> None:
            run(self._state, ["/bin/sh", "-c", f"virsh -c {uri} {command} {name} || true"])

        command = "shutdown --mode initctl,signal" if self._choice.kind is Kind.CONTAINER else "shutdown"
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda name: stop(command, name), guests()))
        end = time.monotonic() + _GUEST_SECONDS
        while guests() and time.monotonic() < end:
            time.sleep(0.5)
        for name in guests():
            stop("destroy", name)

    def _end(self, names: Sequence[str]) -> None:
        """Terminate processes; those that do not end in ten seconds are killed."""
        ending = [self._running.pop(name)[1] for name in list(names) if name in self._running]
        for process in ending:
            process.terminate()
        end = time.monotonic() + 10
        for process in ending:
            try:
                process.wait(max(0.1, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()


def supervise(root: Path) -> int:
    """Run the cloud of this state folder until SIGTERM. The exit code says whether it started."""
    state = State(root)
    choice = state.choice()
    if choice is None:
        return 2
    supervisor = Supervisor(state, choice)

    def stop(_number: int, _frame: FrameType | None) -> None:
        supervisor.stopping.set()

    signal.signal(signal.SIGTERM, stop)
    watcher = threading.Thread(target=supervisor.watch, daemon=True)
    watcher.start()
    try:
        supervisor.bring_up()
    except (CloudError, OSError) as error:
        write_private(state.run / "failed", str(error))
        return 1
    supervisor.report("ready")
    write_private(state.run / "ready", time.strftime("%Y-%m-%dT%H:%M:%S%z"))
    watcher.join()
    supervisor.take_down()
    return 0
