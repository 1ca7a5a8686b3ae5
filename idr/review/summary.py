"""Summarise a preview, the most dangerous first: data at risk, the live release, open ports, replacements."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from idr.resources import CONFIGURATION, SERVER, SHARE, STACK, VOLUME, release_of
from idr.review import facts
from idr.review.commands import new_commands
from idr.review.facts import DataChange
from idr.review.interruptions import interruptions
from idr.review.power import WHO_SEES, PowerChanges, power_changes
from idr.review.preview import Kind, Preview

REFUSES = {"volume": "Cinder", "share": "this program"}
"""The service that refuses to shrink a volume or share; Manila would shrink one whose files fit."""


class Topic(StrEnum):
    """The topics of lines, the most dangerous first."""

    ERROR = "The preview fails"
    MISSING = "Not set yet, and `pulumi up` needs it"
    DATA = "Data at stake"
    LIVE = "Live"
    WORLD = "Open to the world"
    VISITORS = "Who may look at the data"
    PEOPLE = "Who may log in"
    RENEWAL = "Stack secret"
    CLOUD = "The cloud"
    SOURCES = "What nodes fetch and where visitors are sent"
    CHECKS = "Checks"
    FLOWS = "Flows"
    TEMPLATES = "Templates and scripts of the nodes"
    OMERO = "OMERO's configuration"
    COMMANDS = "New commands, on the nodes or where the engine runs"
    INTERRUPTED = "Interrupted"
    REPLACED = "Replaced"
    DELETED = "Deleted"
    CREATED = "Created"
    CHANGED = "Changed in place"


@dataclass(frozen=True)
class Line:
    """A line of the summary with its topic."""

    topic: Topic
    text: str


@dataclass(frozen=True)
class Summary:
    """A preview's summary: its lines, worst first, and the number of resources by kind of change."""

    stack: str
    lines: tuple[Line, ...]
    counts: dict[str, int]


def summarize(preview: Preview, stack: str, missing: Iterable[str] = ()) -> Summary:
    """Summarise a preview. `missing` are settings that are not set yet, a line each."""
    lines = [
        *_errors(preview),
        *(Line(Topic.MISSING, text) for text in missing),
        *_data(preview),
        *_live(preview),
        *_world(preview),
        *_power(preview),
        *(Line(Topic.INTERRUPTED, text) for text in interruptions(preview)),
        *_servers(preview),
        *_rest(preview),
    ]
    order = list(Topic)
    counts = {kind.value: sum(step.kind == kind for step in preview.steps) for kind in Kind if kind != Kind.READ}
    return Summary(stack, tuple(sorted(lines, key=lambda line: order.index(line.topic))), counts)


def _errors(preview: Preview) -> Iterator[Line]:
    for text in preview.errors:
        yield Line(Topic.ERROR, re.sub(r'"urn:\S+::(\S+)"', r"\1", text.removeprefix("error: Preview failed: ")))


def _data(preview: Preview) -> Iterator[Line]:
    for one in facts.data_changes(preview):
        yield from _data_change(one)


def _data_change(one: DataChange) -> Iterator[Line]:
    before, after = f"{one.before_gib} GiB", f"{one.after_gib} GiB"
    name = f"{one.what} {one.name}"
    match one.kind:
        case Kind.DELETE:
            yield Line(Topic.DATA, f"{name} ({before}) is deleted with its data")
        case Kind.REPLACE:
            yield Line(Topic.DATA, f"{name} ({before}) is replaced by an empty one")
        case Kind.CREATE:
            yield Line(Topic.CREATED, f"{name} ({after})")
        case Kind.UPDATE if one.is_shrunk:
            yield Line(Topic.DATA, f"{name} is to shrink from {before} to {after}, which {REFUSES[one.what]} refuses")
        case Kind.UPDATE if before != after:
            yield Line(Topic.CHANGED, f"{name} grows from {before} to {after}")
        case Kind.UPDATE:
            yield Line(Topic.CHANGED, name)
    if one.loses_protection and one.kind != Kind.REPLACE:
        yield Line(Topic.DATA, f"{name} is not protected: a later update may delete it")


def _live(preview: Preview) -> Iterator[Line]:
    before, after = (release_of(node) if node else None for node in facts.live(preview))
    if after != before:
        was = f", where {before} was" if before else ""
        yield Line(Topic.LIVE, f"{after or 'nothing'} goes live{was}")
    for name in facts.lost_addresses(preview):
        yield Line(Topic.LIVE, f"the {name} address goes back to the cloud")


def _world(preview: Preview) -> Iterator[Line]:
    before, after = facts.openings(preview)
    for opening in sorted(after - before):
        yield Line(Topic.WORLD, f"{opening} is opened")
    for opening in sorted(before - after):
        yield Line(Topic.WORLD, f"{opening} is closed")


def _power(preview: Preview) -> Iterator[Line]:
    power = power_changes(preview)
    if not power.is_recorded:
        yield Line(Topic.TEMPLATES, "what they were is not recorded: the next review can compare them")
    for topic, texts in (
        (Topic.PEOPLE, [*(f"{one} is added" for one in power.joined), *(f"{one} is removed" for one in power.left)]),
        (Topic.VISITORS, [WHO_SEES[power.visitors]] if power.visitors else []),
        (Topic.RENEWAL, [*_stack_secret(power), *power.returned]),
        (Topic.CLOUD, power.cloud),
        (Topic.SOURCES, power.sources),
        (Topic.CHECKS, [f"no longer: {check}" for check in power.lifted]),
        (Topic.FLOWS, [f"{flow} is opened ({flow.why})" for flow in power.opened]),
        (Topic.FLOWS, [f"{flow} is closed" for flow in power.closed]),
        (Topic.TEMPLATES, map(str, power.files)),
        (Topic.OMERO, map(str, power.keys)),
        (Topic.COMMANDS, new_commands(preview)),
    ):
        yield from (Line(topic, text) for text in texts)


def _stack_secret(power: PowerChanges) -> Iterator[str]:
    if power.new_secret:
        yield (
            f"a new one is trusted by every node (its deploy key: {power.new_secret}); the former one stays trusted "
            "until idr:previousStackSecret is removed"
        )
    if power.former_secret:
        yield f"the former one (its deploy key: {power.former_secret}) is trusted no longer"


_TOPICS = {Kind.REPLACE: Topic.REPLACED, Kind.DELETE: Topic.DELETED, Kind.CREATE: Topic.CREATED}


def _servers(preview: Preview) -> Iterator[Line]:
    before, _ = facts.live(preview)
    for step in preview.of(SERVER):
        is_live = before is not None and step.release == release_of(before)
        text = f"server {step.name}{' (live)' if is_live and step.kind != Kind.CREATE else ''}"
        reasons = f", because of {', '.join(step.reasons)}" if step.reasons else ""
        if step.kind in _TOPICS:
            yield Line(_TOPICS[step.kind], text + (reasons if step.kind == Kind.REPLACE else ""))
        elif step.kind == Kind.UPDATE:
            yield Line(Topic.CHANGED, f"{text}{reasons}")
    configured = [step.name for step in preview.of(CONFIGURATION, Kind.UPDATE)]
    if configured:
        yield Line(Topic.CHANGED, f"configuration of {', '.join(configured)}")


def _rest(preview: Preview) -> Iterator[Line]:
    """Count all other changes by kind, without components, which are no objects of a cloud."""
    described = {STACK, SERVER, VOLUME, SHARE, CONFIGURATION}
    for kind, topic in {**_TOPICS, Kind.UPDATE: Topic.CHANGED}.items():
        types = [step.type for step in preview.steps if step.kind == kind and step.type not in described]
        counted = {name: types.count(name) for name in types if not name.startswith("idr:")}
        if counted:
            parts = (f"{number} {name.rsplit(':', 1)[-1]}" for name, number in sorted(counted.items()))
            yield Line(topic, ", ".join(parts))
