"""Faults of a running service: what is done to it, and how long it needs to serve visitors again by itself."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tests.cloud.asking import IMAGE, PATIENCE_SECONDS, PING, THUMBNAIL, answers
from tests.cloud.service import Service

PAUSE_SECONDS = 0.4
PAGES: Mapping[str, Callable[[], str]] = {
    "cached": lambda: THUMBNAIL,
    "ping": lambda: PING,
    "uncached": lambda: IMAGE.format(time.monotonic_ns()),
}
"""Kinds of pages by what they need: the proxy alone; OMERO.web, Redis and OMERO.server; the database too."""


@dataclass
class Outage:
    """For how many seconds each kind of page failed, and when the last one failed, in seconds after the fault."""

    seconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(PAGES, 0.0))
    last: float = 0.0


def observe(service: Service, fault: Callable[[], object], *, calm: float, limit: float) -> Outage:
    """Cause a fault, then ask for every kind of page until nothing has failed for `calm` seconds.

    Raises AssertionError when pages still fail `limit` seconds after the fault.
    """
    outage = Outage()
    fault()
    began = asked = time.monotonic()
    while asked - began - outage.last < calm:
        failed = [kind for kind, path in PAGES.items() if not _served(service, path())]
        now = time.monotonic()
        for kind in failed:
            outage.seconds[kind] += now - asked
        if failed:
            outage.last = now - began
            assert outage.last < limit, f"{', '.join(failed)} still fail {outage.last:.0f} s after the fault"
        time.sleep(PAUSE_SECONDS)
        asked = now
    return outage


def _served(service: Service, path: str) -> bool:
    with service.browser(timeout=PATIENCE_SECONDS, http2=False) as visitor:
        return answers(visitor, path)


def killed(service: Service, node: str, unit: str) -> Callable[[], object]:
    """End a unit's main process as the kernel does when memory runs out."""
    return lambda: service.on(node, f"sudo systemctl kill --kill-whom=main --signal=KILL '{unit}'")


def frozen(service: Service, node: str, unit: str) -> Callable[[], object]:
    """Stop every process of a unit: it holds its ports and answers nobody."""
    return lambda: service.on(node, f"sudo systemctl kill --kill-whom=all --signal=STOP '{unit}'")
