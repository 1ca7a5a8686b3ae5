"""Reads the steps of an update or a preview from the engine's events."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from idr.resources import name_of, type_of

UNTOUCHED = frozenset({"same", "read", "refresh"})
# The engine reports the replacement as well as the two steps that it consists of.
REPLACING = frozenset({"replace", "create-replacement", "delete-replaced", "replaced", "discard-replaced"})


@dataclass(frozen=True)
class Step:
    """One operation on one resource. `began` and `ended` are sequence numbers of the engine's events."""

    op: str
    type: str
    name: str
    began: int = 0
    ended: int = 0

    def __str__(self) -> str:
        return f"{self.op} {self.kind} {self.name}"

    @property
    def kind(self) -> str:
        """The last part of the type, such as `Instance`."""
        return self.type.rsplit(":", 1)[-1]


def of_update(events: str) -> tuple[Step, ...]:
    """Return the steps of `pulumi up --json`, in the order in which they began, without components."""
    began: dict[tuple[str, str], int] = {}
    steps: list[Step] = []
    for line in events.splitlines():
        event = json.loads(line)
        if started := event.get("resourcePreEvent"):
            about = started["metadata"]
            began[about["op"], about["urn"]] = event["sequence"]
        elif finished := event.get("resOutputsEvent"):
            about = finished["metadata"]
            number = began[about["op"], about["urn"]]
            steps.append(Step(about["op"], about["type"], name_of(about["urn"]), number, event["sequence"]))
    return tuple(sorted(_changes(steps), key=lambda step: step.began))


def of_preview(preview: dict[str, Any]) -> tuple[Step, ...]:
    """Return the steps of `pulumi preview --json`, without components."""
    return tuple(_changes(Step(step["op"], type_of(step["urn"]), name_of(step["urn"])) for step in preview["steps"]))


def _changes(steps: Iterable[Step]) -> list[Step]:
    """Return the steps that change an object of the cloud or a machine."""
    return [
        Step(step.op, step.type.rsplit("$", 1)[-1], step.name, step.began, step.ended)
        for step in steps
        if step.op not in UNTOUCHED and step.type.rsplit("$", 1)[-1].startswith(("openstack:", "command:"))
    ]


def replaced(steps: Iterable[Step], kind: str | None = None) -> set[str]:
    """Return the names of the resources (of one kind) that are replaced."""
    return {step.name for step in steps if step.op in REPLACING and kind in (None, step.kind)}


def lines_of(steps: Iterable[Step]) -> list[str]:
    """Return the steps as sorted text, to compare them."""
    return sorted(str(step) for step in steps)
