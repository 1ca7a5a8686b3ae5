"""Faults of a running service, and the time until it serves visitors again without help."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from harness.cloud.asking import IMAGE, PATIENCE_SECONDS, PING, THUMBNAIL, answers, repeated
from harness.cloud.service import Service

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
    began: float = field(default_factory=time.monotonic)

    def ask(self, service: Service) -> list[str]:
        """Request every kind of page once; return those that failed."""
        asked = time.monotonic()
        failed = [kind for kind, path in PAGES.items() if not _served(service, path())]
        time.sleep(PAUSE_SECONDS)
        now = time.monotonic()
        for kind in failed:
            self.seconds[kind] += now - asked
        if failed:
            self.last = now - self.began
        return failed


def observe(
    service: Service, fault: Callable[[], object], *, calm: float, limit: float, at_least: float = 0.0
) -> Outage:
    """Cause a fault, then request every kind of page until nothing has failed for `calm` seconds.

    Requests pages for at least `at_least` seconds, for a fault that lasts. Raises AssertionError when a page fails
    before the fault, or still fails `limit` seconds after it began.
    """
    # This also puts the cached page into the cache.
    assert not Outage().ask(service), "pages fail before the fault"
    fault()
    outage = Outage()
    while (spent := time.monotonic() - outage.began) < at_least or spent - outage.last < calm:
        failed = outage.ask(service)
        assert not failed or outage.last < limit, f"{', '.join(failed)} still fail {outage.last:.0f} s after the fault"
    return outage


@contextmanager
def watching(service: Service) -> Iterator[Outage]:
    """Request every kind of page again and again while the block runs, and once after it; none may fail before it."""
    assert not Outage().ask(service), "pages fail before the fault"
    outage = Outage()
    with repeated(lambda: outage.ask(service), 0):
        yield outage


def _served(service: Service, path: str) -> bool:
    with service.browser(timeout=PATIENCE_SECONDS, http2=False) as visitor:
        return answers(visitor, path)


def killed(service: Service, node: str, unit: str) -> Callable[[], object]:
    """Return a fault that kills a unit's main process, as the kernel does when memory runs out."""
    return lambda: service.on(node, f"sudo systemctl kill --kill-whom=main --signal=KILL '{unit}'")


def frozen(service: Service, node: str, unit: str) -> Callable[[], object]:
    """Return a fault that stops every process of a unit: it holds its ports and answers nobody."""
    return lambda: service.on(node, f"sudo systemctl kill --kill-whom=all --signal=STOP '{unit}'")


CUT = """table inet fault {{
  chain in {{ type filter hook input priority -300; ip saddr {other} drop; }}
  chain out {{ type filter hook output priority -300; ip daddr {other} drop; }}
}}
"""


def cut(service: Service, node: str, other: str, seconds: int) -> Callable[[], object]:
    """Return a fault that drops every packet between two nodes for some seconds, without refusing any."""
    address = service.outputs["inventory"]["_meta"]["hostvars"][other]["ansible_host"]
    end = f"setsid sh -c 'sleep {seconds}; nft delete table inet fault' < /dev/null > /dev/null 2>&1 &"
    # In braces: otherwise sh starts all of it in the background, without its standard input.
    return lambda: service.on(node, f'sudo sh -c "nft -f - && {{ {end} }}"', CUT.format(other=address))


def full(service: Service, node: str) -> Callable[[], object]:
    """Return a fault that fills a node's root disk, except what the filesystem reserves for root."""
    return lambda: service.on(node, "sudo fallocate --length $(df --output=avail --block-size=1 / | tail -1) /full")
