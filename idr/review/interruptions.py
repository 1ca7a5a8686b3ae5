"""What visitors and operators miss while an update is applied, and for about how long.

The seconds are rounded up from outages measured on the local cloud; a cloud of virtual machines needs longer to boot.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from idr.review import facts
from idr.review.preview import Kind, Preview, Step
from idr.state import CONFIGURATION
from model.roles import Role

REBOOT_SECONDS = 60


@dataclass(frozen=True)
class Effect:
    """What fails while a role's machine is away, and about how many seconds its replacement takes."""

    what: str
    replacement_seconds: int


EFFECTS = {
    Role.PROXY: Effect("every page fails", 80),
    Role.DATABASE: Effect("pages that are not cached fail", 80),
    Role.REDIS: Effect("pages that are not cached fail", 60),
    Role.OMERO_READWRITE: Effect("pages that are not cached fail, and imports", 120),
    Role.OMERO_READONLY: Effect("pages that are not cached fail", 120),
    Role.WEB: Effect("pages that are not cached fail", 90),
    Role.BASTION: Effect("operators cannot log in", 60),
}
"""By role, the farthest reaching first."""

BESIDE_READONLY = "imports fail"
"""What a read-write node that has read-only ones beside it interrupts: visitors' pages come from those."""

RESTARTS = {
    Role.DATABASE: ("PostgreSQL", "a few seconds"),
    Role.REDIS: ("Redis", "a second"),
    Role.OMERO_READWRITE: ("OMERO.server", "one to two minutes"),
    Role.OMERO_READONLY: ("OMERO.server", "one to two minutes"),
    Role.WEB: ("OMERO.web", "about 30 s"),
}
"""Services that cannot take all of their settings while they run, and how long their start takes. nginx can."""


def interruptions(preview: Preview) -> Iterator[str]:
    """A line for each interruption of the live release or of the bastion."""
    servers = facts.concerned(preview)
    for step in servers:
        if facts.is_interrupted(step):
            yield from _machine(step, servers)
    configured = {step.name for step in preview.of(CONFIGURATION, Kind.UPDATE)}
    restarted = [step for step in servers if step.name in configured and not facts.is_interrupted(step)]
    for role in RESTARTS:
        if steps := [step for step in restarted if role in _serving(step, servers)]:
            yield _restart(role, steps, servers)


def _machine(step: Step, servers: Sequence[Step]) -> Iterator[str]:
    role = next((role for role in EFFECTS if role in roles_of(step)), None)
    if role is None:
        return
    seconds, why = EFFECTS[role].replacement_seconds, "is replaced"
    if facts.is_rebooted(step):
        seconds, why = REBOOT_SECONDS, "reboots"
    if others := _peers(role, [step], servers):
        yield f"{step.name} {why}, for about {seconds} s: requests go to {', '.join(others)}"
    else:
        yield f"{step.name} {why}: {_what(role, servers)} for about {seconds} s"


def _restart(role: Role, steps: Sequence[Step], servers: Sequence[Step]) -> str:
    service, duration = RESTARTS[role]
    names = ", ".join(step.name for step in steps)
    if len(steps) > 1:
        return (
            f"{service} on {names} restarts if a setting needs it ({duration} each), one node after another: "
            "requests go to the others"
        )
    if others := _peers(role, steps, servers):
        return f"{service} on {names} restarts if a setting needs it ({duration}): requests go to {', '.join(others)}"
    return f"{service} on {names} restarts if a setting needs it: {_what(role, servers)} for {duration}"


def _what(role: Role, servers: Sequence[Step]) -> str:
    has_readonly = any(Role.OMERO_READONLY in roles_of(server) for server in servers)
    return BESIDE_READONLY if role == Role.OMERO_READWRITE and has_readonly else EFFECTS[role].what


def _peers(role: Role, steps: Sequence[Step], servers: Sequence[Step]) -> list[str]:
    """The nodes that answer for `role` while those of `steps` do not."""
    return [server.name for server in servers if server not in steps and role in _serving(server, servers)]


def _serving(step: Step, servers: Sequence[Step]) -> frozenset[str]:
    """The roles in which a node answers visitors, as `model.balancing` decides it.

    OMERO.web beside a read-write server is for operators, unless there is no other.
    """
    roles = roles_of(step)
    has_other_web = any(Role.WEB in roles_of(one) and Role.OMERO_READWRITE not in roles_of(one) for one in servers)
    return roles - {Role.WEB} if Role.OMERO_READWRITE in roles and has_other_web else roles


def roles_of(step: Step) -> frozenset[str]:
    """The roles of a server that exists."""
    metadata = step.old.inputs.get("metadata") if step.old else None
    return frozenset(str((metadata or {}).get("idr_roles", "")).split(","))
