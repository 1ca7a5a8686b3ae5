"""Computes a node's phases from `pulumi up` to ready, from the times in the engine, in Nova and on the guest. Pure.

The engine, Nova and `idr-apply` record whole seconds, so a phase is exact to about one second.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

PHASES = {
    "network": "networks, security groups and ports, until its server is requested",
    "server": "Nova creates it",
    "boot": "until ssh listens",
    "bootstrap": "the rest of cloud-init",
    "wait": "for its volumes, and for a connection through the bastion",
    "apply": "idr-apply's steps",
    "health": "until its services are healthy",
    "report": "until the engine has the result",
}
APPLIED = re.compile(r"^bundle \w+: applied$")
BEGUN = re.compile(r"^bundle \w+: \d+ of \d+ files change$")
WELL = re.compile(r"^\S+ health: well after ([\d.]+) s$")


class TimelineError(ValueError):
    """A record lacks a time; the text says which."""


@dataclass(frozen=True)
class Engine:
    """When the engine began to create a node's server, and when its configuration was done (seconds of the epoch)."""

    asked: float
    ready: float


@dataclass(frozen=True)
class Applied:
    """When `idr-apply` began and ended for the first time, and how long it waited for health in between."""

    begun: float
    ended: float
    health: float


def engine(events: Iterable[str]) -> dict[str, Engine]:
    """Return the times by node, from the lines of the `pulumi up --json` that created everything."""
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
    """Return the times of the first bundle in /var/log/idr-apply.log. Raises TimelineError when none was applied."""
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
    msg = "idr-apply's log has no bundle that was applied"
    raise TimelineError(msg)


def bootstrapped(status: str) -> float:
    """Return when cloud-init ended, from its status.json. Raises TimelineError when it has not ended."""
    finished = json.loads(status)["v1"]["modules-final"]["finished"]
    if finished is None:
        msg = "cloud-init has not ended"
        raise TimelineError(msg)
    return float(finished)


def utc(text: str) -> float:
    """Parse a time without a zone, or with Z: those of Nova and of `idr-apply` are in UTC."""
    return datetime.fromisoformat(text.removesuffix("Z")).replace(tzinfo=UTC).timestamp()


def phases(
    start: float, times: Engine, launched: float, listening: float, bootstrap: float, done: Applied
) -> list[float]:
    """Return the seconds of each of PHASES; their sum is the time from `start` to ready."""
    configured = max(done.begun, done.ended - done.health)
    moments = [start, times.asked, launched, listening, bootstrap, done.begun, configured, done.ended, times.ready]
    # Because of whole seconds, a phase could otherwise end before it begins.
    for index in range(1, len(moments)):
        moments[index] = max(moments[index], moments[index - 1])
    return [after - before for before, after in pairwise(moments)]
