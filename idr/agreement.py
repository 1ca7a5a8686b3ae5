"""Compares cloud and state, at the start of an `up` and for `idr check`, `idr drift` and `idr recover`."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from idr import engine, hidden, state
from idr.errors import IdrError
from idr.listing import listing
from idr.state import KINDS, CloudIdentity, Resource, State
from model import shares
from model.comparison import ACTIVE, ERROR, OFF, WAKING, CloudObject, Comparison, Kind, KnownObject, compare, expected
from model.plan import Plan

if TYPE_CHECKING:
    from openstack.connection import Connection


class CloudIdentityError(IdrError):
    """The credentials are for another project or region than the stack's."""


@dataclass(frozen=True)
class Agreement:
    """What the cloud holds, what the state knows, and how they differ."""

    stack: str
    listing: tuple[CloudObject, ...]
    state: State
    comparison: Comparison

    def problems(self) -> list[str]:
        """Return why an `up` must not start, and what to do, a line each. Empty when it may."""
        if foreign := self.foreign():
            return foreign
        if lost := self.protected_lost():
            return lost
        return [*self._unknown(), *self._broken(), *self._lost()]

    def warnings(self) -> list[str]:
        """Return notices for the operator, which do not prevent an `up`; a line each."""
        return [
            *(f"{one.data} is of no use to the stack: {one.reason}" for one in self.comparison.undecided),
            *(f"{rule} is not in the plan" for rule in self.comparison.extra_rules),
            *(
                f"server {name} was deleted from the project: `pulumi up` creates it again"
                for name in self.deleted_servers()
            ),
            *(
                f"server {name} is {one.status} and serves nobody: `openstack server {WAKING[one.status]} {one.id}`"
                for name, one in self.listed_servers().items()
                if one.status in WAKING
            ),
        ]

    def foreign(self) -> list[str]:
        """Return the error where the project holds this stack, but the state in use does not know it."""
        if not self.comparison.foreign:
            return []
        return [
            f"this project holds an IDR '{self.stack}' that the state does not know: "
            f"{_numbers(self.comparison.blocking)}.",
            f"The state in use is {engine.backend()}. If your team shares one, set PULUMI_BACKEND_URL (docs/state.md). "
            "Nothing was changed.",
        ]

    def protected_lost(self) -> list[str]:
        """Return the error where protected objects are not in the project.

        A cloud's list is no proof of their deletion.
        """
        lost = [one for one in self.comparison.deleted if one.protect]
        if not lost:
            return []
        return [
            "the project does not hold what the state protects:",
            *(f"- {one}" for one in lost),
            f"Nothing was changed. Check project, region and the cloud's health. What really is lost can be given up "
            f"with `pulumi state unprotect URN -s {self.stack}`.",
        ]

    def deleted_servers(self) -> dict[str, str]:
        """Return the ids of the servers that the state knows and the project does not hold, by their names."""
        return {one.name: one.id for one in self.comparison.deleted if one.kind == Kind.SERVER}

    def broken(self) -> list[CloudObject]:
        """Return the servers that the state knows and Nova calls ERROR."""
        known = {server.id for server in self.state.servers().values()}
        return [one for one in self.listing if one.kind == Kind.SERVER and one.id in known and one.status == ERROR]

    def hindered(self) -> list[str]:
        """Return the nodes whose server must run for its own replacement, as an earlier state has it, and does not."""
        status = {one.id: one.status for one in self.listing if one.kind == Kind.SERVER}
        servers = self.state.servers()
        running = {name for name, server in servers.items() if status.get(server.id or "") == ACTIVE}
        return [name for name in self.state.stops() if name not in running]

    def _unknown(self) -> list[str]:
        blocking = self.comparison.blocking
        if not blocking:
            return []
        return [
            f"the project holds objects of the stack '{self.stack}' that its state does not know:",
            *(f"- {one}" for one in blocking),
            f"`bin/idr recover --stack {self.stack}` deletes or adopts them. The state in use is {engine.backend()}.",
        ]

    def _broken(self) -> list[str]:
        names = [one.name for one in self.broken()]
        if not names:
            return []
        return [
            f"servers in ERROR: {', '.join(names)}. `bin/idr recover --stack {self.stack}` deletes them, the next "
            "`pulumi up` creates them again."
        ]

    def _lost(self) -> list[str]:
        # An `up` replaces a server, and with it the attachments of its volumes.
        servers = set(self.deleted_servers().values())
        lost = [one for one in self.comparison.deleted if one.id.partition("/")[0] not in servers]
        if not lost:
            return []
        return [
            "objects that the state knows are gone from the project:",
            *(f"- {one}" for one in lost),
            f"`bin/idr recover --stack {self.stack}` removes them from the state, then `pulumi up` creates them again.",
        ]

    def switched_off(self) -> list[str]:
        """Return the names of the stack's servers that are switched off."""
        off = {one.id for one in self.listing if one.kind == Kind.SERVER and one.status == OFF}
        return [name for name, server in self.state.servers().items() if server.id in off]

    def listed_servers(self) -> dict[str, CloudObject]:
        """Return the stack's servers as the cloud lists them, by name."""
        listed = {one.id: one for one in self.listing if one.kind == Kind.SERVER}
        return {name: listed[one.id] for name, one in self.state.servers().items() if one.id in listed}

    def changed_groups(self) -> dict[str, Resource]:
        """Return the stack's ports, as the state has them, that are in other security groups, by name.

        The provider does not read a port's groups: neither a refresh nor an update sees this.
        """
        listed = {one.id: one.groups for one in self.listing if one.kind == Kind.PORT}
        return {
            name: port
            for name, port in self.state.ports().items()
            if port.id in listed and listed[port.id] != frozenset(port.inputs.get("securityGroupIds") or ())
        }

    def hidden_changes(self) -> Iterator[tuple[KnownObject, tuple[str, ...]]]:
        """Yield the stack's objects with the properties that somebody changed and that the engine does not compare."""
        listed = {(one.kind, one.id): one.hidden for one in self.listing}
        known = {(one.kind, one.id): one for one in self.state.known()}
        for resource in self.state.resources:
            key = KINDS.get(resource.type), resource.object_id
            if key in known and key in listed and (names := hidden.changed(resource, listed[key])):
                yield known[key], names

    def changed_metadata(self) -> dict[str, dict[str, str | None]]:
        """Return the metadata of the stack's servers that differ, by name, as the state has them; None: it has none."""
        metadata = {one.id: one.metadata for one in self.listing if one.kind == Kind.SERVER}
        changed = {}
        for name, server in self.state.servers().items():
            declared = server.inputs.get("metadata") or {}
            now = metadata.get(server.id or "", frozenset(declared.items()))
            if keys := {key for key, _ in now ^ frozenset(declared.items())}:
                changed[name] = {key: declared.get(key) for key in sorted(keys)}
        return changed


def disagreements(cloud: "Connection", plan: Plan) -> list[str]:
    """Return why an `up` would not start, a line each, also for a stack that has no state yet. Raises as `of`."""
    try:
        known = state.read(plan.stack)
    except engine.NoStackError:
        known = State(())
    return compared(cloud, plan, known).problems()


def of(cloud: "Connection", plan: Plan) -> Agreement:
    """Compare cloud and state. Raises CloudIdentityError, before anything is listed, when they have other projects."""
    return compared(cloud, plan, state.read(plan.stack))


def compared(cloud: "Connection", plan: Plan, known: State) -> Agreement:
    """Compare cloud and state as `of` does, with a state that was read before."""
    require_same_cloud(cloud, known, plan.stack)
    has_shares = bool(shares.of(plan)) or any(one.kind == Kind.SHARE for one in known.known())
    objects, unlisted = listing(cloud, plan.stack, shares=has_shares)
    # An object of a kind that the cloud does not list counts as existing.
    listed = [one for one in known.known() if one.kind not in unlisted]
    return Agreement(plan.stack, objects, known, compare(objects, listed, expected(plan)))


def require_same_cloud(cloud: "Connection", known: State, stack: str) -> None:
    """Raise CloudIdentityError where the credentials are for another project or region than the stack's."""
    there = known.identity()
    here = CloudIdentity(str(cloud.current_project_id), cloud.config.get_region_name() or "")
    if there is None or there == here or (there.project == here.project and not here.region):
        return
    msg = (
        f"the stack '{stack}' is in project {there.project}, region {there.region}; "
        f"these credentials are for project {here.project}, region {here.region or 'unknown'}: nothing was changed.\n"
        "Use the project's own: openstack:* in the stack file, or OS_CLOUD and OS_* in the environment."
    )
    raise CloudIdentityError(msg)


def _numbers(objects: Iterable[CloudObject]) -> str:
    count = Counter(one.kind for one in objects)
    return ", ".join(f"{count[kind]} {kind}{'s' if count[kind] > 1 else ''}" for kind in Kind if count[kind])
