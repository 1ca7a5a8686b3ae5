"""Interrupts every command at its events, one after another."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.fake_cloud.cloud import FakeCloud
from tests.interruptions import record
from tests.interruptions.faults import Fault, are
from tests.interruptions.processes import Victim
from tests.interruptions.record import Point
from tests.interruptions.stage import Ending, Operation, Stage

Choose = Callable[[list[str]], list[int]]
"""Selects the numbers of the events to interrupt."""


def every(names: list[str]) -> list[int]:
    """Select all events."""
    return list(range(1, len(names) + 1))


def one_of_each(names: list[str]) -> list[int]:
    """Select, for each kind of request, the event in the middle."""
    numbers: dict[str, list[int]] = {}
    for number, name in enumerate(names, 1):
        numbers.setdefault(name, []).append(number)
    return sorted(same[len(same) // 2] for same in numbers.values())


ANSWERS = (
    (Fault.BUSY, "POST identity/auth/tokens", 1),
    (Fault.TRUNCATED, "POST identity/auth/tokens", 1),
    (Fault.BUSY, "POST identity/auth/tokens", 2),
    (Fault.TOO_MANY, "POST identity/auth/tokens", 2),
    (Fault.CUT_AFTER, "POST identity/auth/tokens", 2),
    (Fault.TRUNCATED, "GET image/images", 1),
    (Fault.BUSY, "GET image/images", 2),
    (Fault.CUT_BEFORE, "GET image/images", 3),
    (Fault.LATE_70, "GET image/images", 1),
    (Fault.TRUNCATED, "GET network/quotas", 1),
    (Fault.CUT_AFTER, "POST network/routers", 1),
    (Fault.CUT_AFTER, "POST network/networks", 1),
    (Fault.TRUNCATED, "POST network/subnets", 1),
    (Fault.CUT_BEFORE, "PUT network/networks/tags", 1),
    (Fault.CUT_AFTER, "PUT network/routers/add_router_interface", 1),
    (Fault.CONFLICT, "PUT network/routers/add_router_interface", 2),
    (Fault.CUT_AFTER, "POST network/security-groups", 2),
    (Fault.BUSY, "DELETE network/security-group-rules", 3),
    (Fault.BUSY, "PUT network/security-groups/tags", 2),
    (Fault.CUT_AFTER, "POST network/security-group-rules", 4),
    (Fault.TOO_MANY, "POST network/ports", 2),
    (Fault.TRUNCATED, "POST network/ports", 2),
    (Fault.LATE_40, "POST network/ports", 1),
    (Fault.CUT_AFTER, "POST network/floatingips", 1),
    (Fault.CUT_AFTER, "PUT network/floatingips", 1),
    (Fault.BUSY, "POST volume/volumes", 1),
    (Fault.CUT_AFTER, "POST volume/volumes", 1),
    (Fault.TRUNCATED, "POST volume/volumes", 1),
    (Fault.BUSY, "GET volume/volumes", 1),
    (Fault.LATE_40, "POST volume/volumes", 1),
    (Fault.CUT_BEFORE, "GET compute/limits", 1),
    (Fault.BUSY, "POST compute/servers", 2),
    (Fault.CUT_AFTER, "POST compute/servers", 2),
    (Fault.TRUNCATED, "POST compute/servers", 3),
    (Fault.LATE_70, "POST compute/servers", 1),
    (Fault.BUSY, "GET compute/servers", 3),
    (Fault.CONFLICT, "POST compute/servers/os-volume_attachments", 1),
    (Fault.CUT_AFTER, "POST compute/servers/os-volume_attachments", 1),
)
"""The faults of a creating `up`, and the answers of Keystone, Glance, Neutron, Cinder and Nova that they disturb."""


def disturb(results: Path) -> Iterator[tuple[Point, Ending]]:
    """Disturb one answer after another of a creating `up`, and keep the results; leave out known points."""
    known = {point.key for point in record.read(results)}
    with tempfile.TemporaryDirectory() as folder, FakeCloud() as cloud:
        stage = Stage(cloud, Path(folder), Operation.CREATE)
        for fault, request, number in ANSWERS:
            if (Operation.CREATE, fault, number, request) not in known:
                ended = stage.disturbed(fault, are(request), number)
                point = Point(Operation.CREATE, fault, request, number, 0, ended.is_good, ended.faults)
                record.add(results, point)
                yield point, ended


def kill(operation: Operation, victim: Victim, choose: Choose, results: Path) -> Iterator[tuple[Point, Ending]]:
    """Kill a process at the selected events of a command, and keep the results; leave out known points."""
    known = {point.key for point in record.read(results)}
    with tempfile.TemporaryDirectory() as folder, FakeCloud() as cloud:
        stage = Stage(cloud, Path(folder), operation)
        names = stage.events()
        for number in choose(names):
            for done in (True, False):
                what = f"{victim} killed {'after' if done else 'before'}"
                if (operation, what, number, "") not in known:
                    ended = stage.killed(victim, number, done=done)
                    point = Point(operation, what, ended.request, number, len(names), ended.is_good, ended.faults)
                    record.add(results, point)
                    yield point, ended
