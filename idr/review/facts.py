"""What a reviewer must know of a preview: data at stake, the public address, ports open to the world."""

from dataclasses import dataclass
from ipaddress import ip_network
from typing import Literal

from idr.resources import (
    ASSOCIATION,
    FLOATING_IP,
    PORT,
    ROUTER,
    ROUTER_INTERFACE,
    SECURITY_RULE,
    SERVER,
    SHARE,
    UNKNOWN_ID,
    VOLUME,
    release_of,
)
from idr.review.preview import Kind, Preview, State, Step
from model.plan import BASTION

PUBLIC = "public"
"""Name of the public address and of its association in the program."""

FLAVOR = "flavorName"

# No institute has a larger network: what is open to this many is open to the world.
SMALLEST_WORLD = {4: 7, 6: 15}


@dataclass(frozen=True)
class DataChange:
    """A data volume or share that an update touches. Sizes are GiB, None where there is none (yet, or any more)."""

    what: Literal["volume", "share"]
    name: str
    kind: Kind
    before_gib: int | None
    after_gib: int | None
    loses_protection: bool

    @property
    def is_shrunk(self) -> bool:
        """Whether a smaller size is asked for, which is refused."""
        return self.kind == Kind.UPDATE and (self.after_gib or 0) < (self.before_gib or 0)


def data_changes(preview: Preview) -> list[DataChange]:
    """Return the volumes and shares that change or lose their protection, which the engine counts as no change."""
    every = [_data_change(step) for kind in (VOLUME, SHARE) for step in preview.of(kind)]
    return [change for change in every if change.kind != Kind.SAME or change.loses_protection]


def _data_change(step: Step) -> DataChange:
    unprotected = step.old is None or step.old.protect
    return DataChange(
        what="share" if step.type == SHARE else "volume",
        name=step.name,
        kind=step.kind,
        before_gib=_size(step.old),
        after_gib=_size(step.new),
        loses_protection=unprotected and step.new is not None and not step.new.protect,
    )


def _size(state: State | None) -> int | None:
    size = state.inputs.get("size") if state else None
    return int(size) if isinstance(size, int | float) else None


def live(preview: Preview) -> tuple[str | None, str | None]:
    """Return the nodes that the public address leads to before and after, by name."""
    for step in preview.of(ASSOCIATION):
        if step.name == PUBLIC:
            return (
                step.old.depends_on("portId") if step.old else None,
                step.new.depends_on("portId") if step.new else None,
            )
    return None, None


def concerned(preview: Preview) -> list[Step]:
    """Return the servers that visitors and operators depend on now: those of the live release, and the bastion."""
    before, _ = live(preview)
    scopes = {BASTION, *([release_of(before)] if before else [])}
    return [step for step in preview.of(SERVER) if step.old and step.release in scopes]


def is_rebooted(step: Step) -> bool:
    """Return whether a server stays and is resized, which Nova does by a reboot."""
    return step.kind == Kind.UPDATE and FLAVOR in step.reasons


def is_interrupted(step: Step) -> bool:
    """Return whether a server is away for a while: replaced or rebooted."""
    return step.kind == Kind.REPLACE or is_rebooted(step)


def lost_addresses(preview: Preview) -> list[str]:
    """Return the names of the public addresses that are released, although DNS and visitors know them."""
    return [step.name for step in preview.of(FLOATING_IP, Kind.DELETE, Kind.REPLACE)]


def moved_nodes(preview: Preview) -> list[str]:
    """Return the nodes that would get an address or a network that they cannot have yet, a line each.

    Neutron frees no subnet that has ports, gives no address twice, and tells no running server of another address.
    """
    leaving = {address: step.name for step in preview.of(PORT, Kind.DELETE) for address in _addresses(step.old)}
    lines = []
    for step in preview.of(PORT, Kind.CREATE, Kind.UPDATE, Kind.REPLACE):
        before, after = _addresses(step.old), _addresses(step.new)
        if before != after and step.old:
            lines.append(f"{step.name} is at {', '.join(before)} and would be at {', '.join(after)}")
        elif step.kind == Kind.REPLACE:
            lines.append(f"{step.name} would be in another network")
        lines += [f"{step.name} gets {one}, which {leaving[one]} still has" for one in after if one in leaving]
    return lines


def lost_routers(preview: Preview) -> list[str]:
    """Return the networks that go to another router, and the stack's router where it is deleted; a line each."""
    lines = [f"router {step.name} is deleted" for step in preview.of(ROUTER, Kind.DELETE, Kind.REPLACE)]
    for step in preview.of(ROUTER_INTERFACE, Kind.REPLACE):
        before, after = _router(step.old), _router(step.new)
        # A preview without credentials does not know the id of a router of the cloud.
        if before != after and not after.startswith(UNKNOWN_ID):
            lines.append(f"network {step.name} goes from router {before} to {after}")
    return lines


def _router(interface: State | None) -> str:
    return (interface.depends_on("routerId") or interface.inputs.get("routerId") or "") if interface else ""


def _addresses(port: State | None) -> list[str]:
    return [
        str(fixed["ipAddress"])
        for fixed in (port.inputs.get("fixedIps") or () if port else ())
        if fixed.get("ipAddress")
    ]


@dataclass(frozen=True, order=True)
class Opening:
    """Ports of a role's nodes (or of one group of nodes) that the world may reach."""

    role: str
    protocol: str
    first_port: int
    last_port: int

    def __str__(self) -> str:
        if not self.last_port:
            ports = "every port"
        else:
            ports = str(self.first_port) + (f"-{self.last_port}" if self.last_port != self.first_port else "")
        return f"{self.protocol} {ports} of {self.role}"


def openings(preview: Preview) -> tuple[frozenset[Opening], frozenset[Opening]]:
    """Return what is open to the world before and after, whatever the release: a new one opens nothing new."""
    before, after = set(), set()
    for step in preview.of(SECURITY_RULE):
        if step.old and _is_for_the_world(step.old):
            before.add(_opening(step, step.old))
        if step.new and _is_for_the_world(step.new):
            after.add(_opening(step, step.new))
    return frozenset(before), frozenset(after)


def _is_for_the_world(rule: State) -> bool:
    inputs = rule.inputs
    if inputs.get("direction") != "ingress" or inputs.get("remoteGroupId") or inputs.get("remoteAddressGroupId"):
        return False
    source = inputs.get("remoteIpPrefix")
    if not source:
        return True
    network = ip_network(source, strict=False)
    return network.prefixlen <= SMALLEST_WORLD[network.version]


def _opening(step: Step, rule: State) -> Opening:
    group = rule.depends_on("securityGroupId") or step.name
    last = int(rule.inputs.get("portRangeMax") or 0)
    protocol = str(rule.inputs.get("protocol") or "any protocol")
    return Opening(group.split("-", 1)[-1], protocol, int(rule.inputs.get("portRangeMin") or 0), last)
