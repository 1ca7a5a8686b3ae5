"""Interruptions of an update for visitors and operators, with their approximate duration.

The seconds are those of `cloudinit/<role>/role.yaml`, rounded up from outages measured on the local cloud. A cloud of
virtual machines needs longer to boot.
"""

from collections.abc import Iterator, Sequence

from idr.resources import CONFIGURATION
from idr.review import facts
from idr.review.preview import Kind, Preview, Step
from model.roles import FACTS, Role

REBOOT_SECONDS = 60


_KNOWN = [(role, about.interruption) for role, about in FACTS.items() if about.interruption]
EFFECTS = dict(sorted(_KNOWN, key=lambda known: known[1].order))
"""The interruptions by role, the worst first."""

BESIDE_READONLY = "imports fail"
"""The effect of a read-write node in a release with read-only ones, which serve visitors' pages."""

RESTARTS = {role: effect.restart for role, effect in EFFECTS.items() if effect.restart}
"""Services that must restart for some settings, with the duration of their start. nginx need not."""


def interruptions(preview: Preview) -> Iterator[str]:
    """Return a line for each interruption of the live release or of the bastion."""
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
    service, duration = RESTARTS[role].service, RESTARTS[role].duration
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
    """Return the nodes that serve `role` while those of `steps` do not."""
    return [server.name for server in servers if server not in steps and role in _serving(server, servers)]


def _serving(step: Step, servers: Sequence[Step]) -> frozenset[str]:
    """Return the roles with which a node serves visitors, as `model.balancing` decides.

    OMERO.web beside a read-write server is for operators, unless there is no other.
    """
    roles = roles_of(step)
    has_other_web = any(Role.WEB in roles_of(one) and Role.OMERO_READWRITE not in roles_of(one) for one in servers)
    return roles - {Role.WEB} if Role.OMERO_READWRITE in roles and has_other_web else roles


def roles_of(step: Step) -> frozenset[str]:
    """Return the roles of an existing server."""
    metadata = step.old.inputs.get("metadata") if step.old else None
    return frozenset(str((metadata or {}).get("idr_roles", "")).split(","))
