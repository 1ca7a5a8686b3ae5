"""What visitors and operators miss while an update is applied, and for about how long.

The seconds are rounded up from outages measured on the local cloud; a cloud of virtual machines needs longer to boot.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from idr.review import facts
from idr.review.preview import COMMAND, SERVER, Kind, Preview, Step

FLAVOR = "flavorName"
REBOOT_SECONDS = 60


@dataclass(frozen=True)
class Effect:
    """What fails while a role's machine is away, and about how many seconds its replacement takes."""

    what: str
    replacement_seconds: int


EFFECTS = {
    "proxy": Effect("every page fails", 80),
    "database": Effect("pages that are not cached fail", 80),
    "redis": Effect("pages that are not cached fail", 60),
    "omero-readwrite": Effect("pages that are not cached fail, and imports", 120),
    "omero-readonly": Effect("pages that are not cached fail", 120),
    "web": Effect("pages that are not cached fail", 90),
    "bastion": Effect("operators cannot log in", 60),
}
"""By role, the farthest reaching first."""

RESTARTS = {
    "web": "OMERO.web (about 30 s)",
    "omero-readwrite": "OMERO.server (one to two minutes)",
    "omero-readonly": "OMERO.server (one to two minutes)",
    "redis": "Redis (a second)",
    "database": "PostgreSQL (a few seconds)",
}
"""Services that cannot take all of their settings while they run. nginx can."""


def interruptions(preview: Preview) -> Iterator[str]:
    """A line for each interruption of the live release or of the bastion."""
    live, _ = facts.live(preview)
    concerned = {facts.release_of(live), "bastion"} - {None}
    servers = [step for step in preview.of(SERVER) if step.old and step.release in concerned]
    for step in servers:
        yield from _machine(step, servers)
    configured = {step.name for step in preview.of(COMMAND, Kind.UPDATE)}
    yield from _restarts([step for step in servers if step.name in configured and step.kind == Kind.SAME])


def _machine(step: Step, servers: list[Step]) -> Iterator[str]:
    reboots = step.kind == Kind.UPDATE and FLAVOR in step.reasons
    if step.kind != Kind.REPLACE and not reboots:
        return
    for role, effect in EFFECTS.items():
        if role in roles_of(step):
            seconds, why = (REBOOT_SECONDS, "reboots") if reboots else (effect.replacement_seconds, "is replaced")
            others = [other.name for other in servers if other is not step and role in roles_of(other)]
            if others:
                yield f"{step.name} {why}, for about {seconds} s: requests go to {', '.join(others)}"
            else:
                yield f"{step.name} {why}: {effect.what} for about {seconds} s"
            return


def _restarts(steps: list[Step]) -> Iterator[str]:
    services = {text: None for role, text in RESTARTS.items() for step in steps if role in roles_of(step)}
    if services:
        names = ", ".join(step.name for step in steps if roles_of(step).intersection(RESTARTS))
        yield f"on {names} a service restarts if a setting needs it: {', '.join(services)}"


def roles_of(step: Step) -> frozenset[str]:
    """The roles of a server that exists."""
    metadata = step.old.inputs.get("metadata") if step.old else None
    return frozenset(str((metadata or {}).get("idr_roles", "")).split(","))
