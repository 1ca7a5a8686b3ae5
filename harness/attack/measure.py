"""What other visitors, and an operator, notice while somebody attacks the local IDR."""

import json
import statistics
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from ipaddress import ip_address

import httpx

from dev.cloud import control, layout
from dev.cloud.layout import State
from harness.attack.hostile import KINDS
from harness.cloud import outsider
from harness.cloud.asking import IMAGE, THUMBNAIL
from harness.cloud.service import Service, local
from harness.stacks import ROOT

SECONDS = 20
BEGINNING_SECONDS = 20
"""An address may open 300 connections at once, as an institute does, then 10 a second: so long for the first ones."""
SETTLE_SECONDS = 3
NAMESPACE = "attacker"
PROXY = "demo1-proxy"
TICKS = 100
ADDRESS = str(layout.EXTERNAL[4])
"""Beside the cloud's, the machine's and the tests' authority's, below those that routers get."""


class AttackError(Exception):
    """The attack cannot be started; the text says why."""


@dataclass
class Noticed:
    """Seconds that each request of an ordinary visitor took, and how many failed."""

    seconds: list[float] = field(default_factory=list)
    failed: int = 0

    @property
    def median(self) -> float:
        """Of all that were answered; infinite where none was."""
        return statistics.median(self.seconds) if self.seconds else float("inf")


@dataclass(frozen=True)
class Figures:
    """What was noticed in one stretch of time, and what the attacker did in it."""

    cached: Noticed
    uncached: Noticed
    login: float
    """Seconds of an operator's login to the bastion; infinite where it failed."""
    attacker: dict[str, int]
    beginning: float
    """Seconds of a processor that the proxy's nginx used, a second, in the beginning."""
    proxy: float
    """The same, afterwards."""


def measured() -> dict[str, Figures]:
    """The figures of quiet time, then of each kind of attack, by its name.

    Raises AttackError when the stack `local` is not up on the local cloud: nothing else is ever attacked.
    """
    service = _service()
    with outsider.machine(NAMESPACE, ADDRESS):
        measurements = {"quiet": _noticed(service, None)}
        for kind in KINDS:
            measurements[kind] = _noticed(service, kind)
            time.sleep(SETTLE_SECONDS)
    return measurements


def _service() -> Service:
    try:
        service = local()
    except subprocess.CalledProcessError:
        msg = "the local IDR is not up: make up"
        raise AttackError(msg) from None
    if control.running(State.at(None)) is None:
        msg = "the local cloud is not up: make up"
        raise AttackError(msg)
    for endpoint in ("omero", "bastion"):
        if ip_address(service.address(endpoint)) not in layout.EXTERNAL:
            msg = f"{service.address(endpoint)} is not of the local cloud ({layout.EXTERNAL})"
            raise AttackError(msg)
    return service


def _attack(service: Service, kind: str) -> "subprocess.Popen[str]":
    address = service.address("bastion" if kind == "ssh" else "omero")
    host = str(service.outputs["topology"]["hostName"])
    # It is on the machine of those it attacks: its own work must not take their processors.
    run = ["nice", "-n", "19", "env", f"PYTHONPATH={ROOT}", sys.executable, "-m", "harness.attack.hostile"]
    command = outsider.start(NAMESPACE, [*run, kind, address, host, str(BEGINNING_SECONDS + SECONDS)])
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def _noticed(service: Service, kind: str | None) -> Figures:
    attack = _attack(service, kind) if kind else None
    started = time.monotonic(), _nginx_seconds(service)
    end = time.monotonic() + BEGINNING_SECONDS + SECONDS
    cached, uncached, login = Noticed(), Noticed(), list[float]()
    threads = [
        threading.Thread(target=_visit, args=(service, cached, end), kwargs={"fresh": False}),
        threading.Thread(target=_visit, args=(service, uncached, end), kwargs={"fresh": True}),
        threading.Thread(target=lambda: login.append(_login(service))),
    ]
    for thread in threads:
        thread.start()
    time.sleep(BEGINNING_SECONDS)
    settled = time.monotonic(), _nginx_seconds(service)
    for thread in threads:
        thread.join()
    ended = time.monotonic(), _nginx_seconds(service)
    did = json.loads(attack.communicate(timeout=SECONDS)[0]) if attack else {}
    return Figures(cached, uncached, login[0], did, _share(started, settled), _share(settled, ended))


def _share(begin: tuple[float, float], end: tuple[float, float]) -> float:
    """Seconds of a processor, a second, between two times with what was used until then."""
    return (end[1] - begin[1]) / (end[0] - begin[0])


def _nginx_seconds(service: Service) -> float:
    """What the proxy's nginx has used of processors so far, in whole ticks of 10 ms (proc(5): utime and stime)."""
    processes = service.on(PROXY, "for process in $(pgrep -x nginx); do cat /proc/$process/stat; done")
    fields = (line.rpartition(")")[2].split() for line in processes.splitlines())
    return sum(int(user) + int(system) for user, system in (times[11:13] for times in fields)) / TICKS


def _visit(service: Service, noticed: Noticed, end: float, *, fresh: bool) -> None:
    """Request a cached page, or each time one that is not cached, one after another.

    Not over HTTP/2: httpx gives up what is under way when nginx ends a connection after its thousand requests.
    """
    with service.browser(timeout=SECONDS, http2=False) as visitor:
        while time.monotonic() < end:
            path = IMAGE.format(time.monotonic_ns()) if fresh else THUMBNAIL
            began = time.monotonic()
            try:
                good = visitor.get(path).status_code == httpx.codes.OK
            except httpx.HTTPError:
                good = False
            noticed.failed += not good
            if good:
                noticed.seconds.append(time.monotonic() - began)
            time.sleep(0.05 if fresh else 0.005)


def _login(service: Service) -> float:
    time.sleep(SETTLE_SECONDS)
    began = time.monotonic()
    done = service.try_on("bastion", "true")
    return time.monotonic() - began if done.returncode == 0 else float("inf")
