"""A node's way from `pulumi up` to ready, from what the engine, Nova and the guest noted. Pure.

The engine, Nova and `idr-apply` note whole seconds, so a phase is right to about one second.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

PHASES = {
    "network": "networks, groups and ports, until its server is asked for",
    "server": "Nova makes it",
    "boot": "until ssh listens",
    "bootstrap": "the rest of cloud-init",
    "wait": "for its volumes, and to be reached through the bastion",
    "apply": "idr-apply's steps",
    "health": "until its services are well",
    "report": "until the engine knows",
}
APPLIED = re.compile(r"^bundle \w+: applied$")
BEGUN = re.compile(r"^bundle \w+: \d+ of \d+ files change$")
WELL = re.compile(r"^\S+ health: well after ([\d.]+) s$")


class TimelineError(ValueError):
    """A record lacks a moment; the text says which."""


@dataclass(frozen=True)
class Engine:
    """When the engine began to make a node's server, and when its configuration was done (seconds of the epoch)."""

    asked: float
    ready: float


@dataclass(frozen=True)
class Applied:
    """When `idr-apply` began and ended for the first time, and how long it waited for health in between."""

    begun: float
    ended: float
    health: float


def engine(events: Iterable[str]) -> dict[str, Engine]:
    """By node, of the lines of `pulumi up --json` that created everything."""
    asked: dict[str, float] = {}
    ready: dict[str, float] = {}
    for line in events:
        event = json.loads(line)
        if (before := event.get("resourcePreEvent")) and before["metadata"]["type"].endswith(":Instance"):
            asked[_name(before)] = event["timestamp"]
        elif (after := event.get("resOutputsEvent")) and after["metadata"]["type"] == "command:remote:Command":
            ready[_name(after)] = event["timestamp"]
    return {name: Engine(asked[name], ready[name]) for name in asked.keys() & ready.keys()}


def _name(event: dict[str, dict[str, str]]) -> str:
    return event["metadata"]["urn"].rsplit("::", 1)[-1]


def applied(log: str) -> Applied:
    """Of /var/log/idr-apply.log, its first bundle. Raises TimelineError when none was applied."""
    begun: float | None = None
    health = 0.0
    for line in log.splitlines():
        moment, text = line.split(" ", 1)
        if BEGUN.match(text) and begun is None:
            begun = utc(moment)
        elif match := WELL.match(text):
            health += float(match[1])
        elif APPLIED.match(text) and begun is not None:
            return Applied(begun, utc(moment), health)
    msg = "idr-apply's log tells of no bundle that was applied"
    raise TimelineError(msg)


def bootstrapped(status: str) -> float:
    """When cloud-init was through, of its status.json. Raises TimelineError when it was not."""
    finished = json.loads(status)["v1"]["modules-final"]["finished"]
    if finished is None:
        msg = "cloud-init is not through"
        raise TimelineError(msg)
    return float(finished)


def utc(text: str) -> float:
    """A moment without a zone, or with Z: both Nova's and `idr-apply`'s are in UTC."""
    return datetime.fromisoformat(text.removesuffix("Z")).replace(tzinfo=UTC).timestamp()


def phases(
    start: float, times: Engine, launched: float, listening: float, bootstrap: float, done: Applied
) -> list[float]:
    """Seconds of each of PHASES; their sum is the time from `start` to ready."""
    configured = max(done.begun, done.ended - done.health)
    moments = [start, times.asked, launched, listening, bootstrap, done.begun, configured, done.ended, times.ready]
    # Notes of whole seconds may put what follows at once a moment earlier.
    for index in range(1, len(moments)):
        moments[index] = max(moments[index], moments[index - 1])
    return [after - before for before, after in pairwise(moments)]
