"""Measures what other visitors and an operator notice during an attack on the local IDR."""

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
"""An IP address may open 300 connections at once, then 10 a second: time until the first 300 are opened."""
SETTLE_SECONDS = 3
NAMESPACE = "attacker"
PROXY = "demo1-proxy"
TICKS = 100
ADDRESS = str(layout.EXTERNAL[4])
"""Next to the addresses of the cloud, the machine and the tests' authority, and below those of routers."""


class AttackError(Exception):
    """The attack cannot be started; the text says why."""


@dataclass
class Requests:
    """Seconds that each request of an ordinary visitor took, and how many failed."""

    seconds: list[float] = field(default_factory=list)
    failed: int = 0

    @property
    def median(self) -> float:
        """The median of all responses; infinite if there was none."""
        return statistics.median(self.seconds) if self.seconds else float("inf")


@dataclass(frozen=True)
class Figures:
    """What was measured in one period, and what the attacker did in it."""

    cached: Requests
    uncached: Requests
    login: float
    """Seconds of an operator's login to the bastion; infinite if it failed."""
    attacker: dict[str, int]
    beginning: float
    """Processor seconds a second that the proxy's nginx used in the beginning."""
    proxy: float
    """The same, afterwards."""


def measured() -> dict[str, Figures]:
    """Return the figures without an attack, then of each kind of attack, by name.

    Raises AttackError when the stack `local` does not run on the local cloud: nothing else is ever attacked.
    """
    service = _service()
    with outsider.machine(NAMESPACE, ADDRESS):
        measurements = {"quiet": _measure(service, None)}
        for kind in KINDS:
            measurements[kind] = _measure(service, kind)
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
    # The attacker runs on the attacked machine: low priority, so that its own work does not slow the service down.
    run = ["nice", "-n", "19", "env", f"PYTHONPATH={ROOT}", sys.executable, "-m", "harness.attack.hostile"]
    command = outsider.start(NAMESPACE, [*run, kind, address, host, str(BEGINNING_SECONDS + SECONDS)])
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def _measure(service: Service, kind: str | None) -> Figures:
    attack = _attack(service, kind) if kind else None
    started = time.monotonic(), _nginx_seconds(service)
    end = time.monotonic() + BEGINNING_SECONDS + SECONDS
    cached, uncached, login = Requests(), Requests(), list[float]()
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
    """Return the processor seconds a second between two times, each with the processor seconds used until then."""
    return (end[1] - begin[1]) / (end[0] - begin[0])


def _nginx_seconds(service: Service) -> float:
    """Return the processor seconds that the proxy's nginx has used, in ticks of 10 ms (proc(5): utime and stime)."""
    processes = service.on(PROXY, "for process in $(pgrep -x nginx); do cat /proc/$process/stat; done")
    fields = (line.rpartition(")")[2].split() for line in processes.splitlines())
    return sum(int(user) + int(system) for user, system in (times[11:13] for times in fields)) / TICKS


def _visit(service: Service, requests: Requests, end: float, *, fresh: bool) -> None:
    """Request a cached page again and again, or each time another page that is not cached.

    Not over HTTP/2: httpx cancels open requests when nginx closes a connection after a thousand requests.
    """
    with service.browser(timeout=SECONDS, http2=False) as visitor:
        while time.monotonic() < end:
            path = IMAGE.format(time.monotonic_ns()) if fresh else THUMBNAIL
            began = time.monotonic()
            try:
                good = visitor.get(path).status_code == httpx.codes.OK
            except httpx.HTTPError:
                good = False
            requests.failed += not good
            if good:
                requests.seconds.append(time.monotonic() - began)
            time.sleep(0.05 if fresh else 0.005)


def _login(service: Service) -> float:
    time.sleep(SETTLE_SECONDS)
    began = time.monotonic()
    done = service.try_on("bastion", "true")
    return time.monotonic() - began if done.returncode == 0 else float("inf")
