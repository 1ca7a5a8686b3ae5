"""Compare the objects of a stack in the cloud with its state: find objects that are not in the state, or deleted."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

from model import shares
from model.firewall import Rule
from model.plan import Plan

ACTIVE, OFF, ERROR = "ACTIVE", "SHUTOFF", "ERROR"
"""Nova's states of a server that runs, is switched off, or could not be created."""
WAKING = {
    "PAUSED": "unpause",
    "SUSPENDED": "resume",
    "SHELVED": "unshelve",
    "SHELVED_OFFLOADED": "unshelve",
    "RESCUE": "unrescue",
    "VERIFY_RESIZE": "resize confirm",
}
"""States of servers that somebody paused or stopped by hand, and the `openstack server` command that ends each."""


class Kind(StrEnum):
    """A kind of object. The order is one in which objects that depend on each other can be deleted."""

    ATTACHMENT = "attachment"
    ACCESS = "share access rule"
    FLOATING_IP = "floating IP"
    SERVER = "server"
    PORT = "port"
    ROUTER_PORT = "router port"
    RULE = "security group rule"
    SECURITY_GROUP = "security group"
    SUBNET = "subnet"
    NETWORK = "network"
    ROUTER = "router"
    SERVER_GROUP = "server group"
    VOLUME = "volume"
    SHARE = "share"


ORDER = {kind: number for number, kind in enumerate(Kind)}
DATA = frozenset({Kind.VOLUME, Kind.SHARE})
"""Kinds that hold data: never deleted here."""


@dataclass(frozen=True)
class CloudObject:
    """An object of the project.

    `stack` is the stack in its labels. `parents` are the ids of the objects that it belongs or is attached to.
    The id of an attachment is `<server>/<volume>`, of an access rule `<share>/<rule>`. `metadata` has that of servers,
    volumes and shares, `groups` the ids of a port's security groups, `hidden` the properties that the engine does not
    compare, by the names that the state has.
    """

    kind: Kind
    id: str
    name: str
    stack: str | None = None
    parents: frozenset[str] = frozenset()
    status: str = ""
    metadata: frozenset[tuple[str, str]] = frozenset()
    groups: frozenset[str] = frozenset()
    hidden: Mapping[str, Any] = field(default_factory=dict, compare=False)

    def __str__(self) -> str:
        return f"{self.kind} {self.name} ({self.id})"


@dataclass(frozen=True)
class KnownObject:
    """An object in the state: its logical name there, and whether it is protected."""

    kind: Kind
    id: str
    name: str
    protect: bool = False

    def __str__(self) -> str:
        return f"{self.kind} {self.name} ({self.id})"


@dataclass(frozen=True)
class Expected:
    """The planned objects that have no labels or hold data. All but `data` are names in the cloud.

    `data` maps kind and name in the cloud of volumes and shares to the name in the plan; `existing` are ids of volumes,
    and `addresses` floating IPs, that the stack only uses.
    """

    stack: str
    data: Mapping[tuple[Kind, str], str]
    existing: frozenset[str]
    addresses: frozenset[str]
    server_groups: frozenset[str]
    rules: frozenset[str]


@dataclass(frozen=True)
class Adoption:
    """A data volume or share to import into the state, with its name in the plan."""

    data: CloudObject
    name: str


@dataclass(frozen=True)
class Undecided:
    """A data volume or share that an operator must decide on.

    `blocks`: an `up` would create another one of its name.
    """

    data: CloudObject
    reason: str
    blocks: bool


@dataclass(frozen=True)
class Comparison:
    """The differences between the project's objects and the state.

    `delete` are leftovers without data, in an order in which they can be deleted. `extra_rules` are rules that the plan
    does not have: somebody opened a port by hand, or an update with other settings was interrupted. `foreign` is true
    if unknown objects depend on each other. They then belong to another state: an update creates an object only after
    those that it depends on are in the state. `guests` are objects of others that are attached to this stack's.
    """

    delete: tuple[CloudObject, ...]
    extra_rules: tuple[CloudObject, ...]
    adopt: tuple[Adoption, ...]
    undecided: tuple[Undecided, ...]
    deleted: tuple[KnownObject, ...]
    foreign: bool
    guests: tuple[CloudObject, ...] = ()

    @property
    def blocking(self) -> tuple[CloudObject, ...]:
        """Objects that would conflict with an `up`, or that it would create a second time."""
        adopted = [adoption.data for adoption in self.adopt]
        return (*self.delete, *adopted, *(one.data for one in self.undecided if one.blocks))


def expected(plan: Plan) -> Expected:
    """Return the part of a plan that `compare` needs."""
    volumes = [volume for node in plan.nodes for volume in node.volumes]
    return Expected(
        stack=plan.stack,
        data={(Kind.VOLUME, plan.cloud_name(one.name)): one.name for one in volumes if not one.existing}
        | {(Kind.SHARE, plan.cloud_name(one.name)): one.name for one in shares.of(plan)},
        existing=frozenset(str(volume.existing) for volume in volumes if volume.existing),
        addresses=frozenset(map(str, plan.settings.floating_ips.addresses())),
        server_groups=frozenset(plan.cloud_name(name) for scope in plan.scopes for name in scope.server_groups),
        rules=frozenset(_rule_name(rule, plan) for scope in plan.scopes for rule in scope.rules),
    )


def rule_name(group: str, direction: str, protocol: str | None, ports: str, remote: str) -> str:
    """Name a rule by its fields: rules have no names in the cloud, and a group has no two equal ones."""
    return f"{group}: {direction} {protocol or 'any'} {ports} {remote}"


def _rule_name(rule: Rule, plan: Plan) -> str:
    remote = plan.cloud_name(rule.remote_group) if rule.remote_group else str(rule.remote_cidr)
    return rule_name(plan.cloud_name(rule.group), rule.direction, rule.transport, str(rule.port), remote)


def compare(listing: Iterable[CloudObject], known: Iterable[KnownObject], plan: Expected) -> Comparison:
    """Compare the project's objects with the state."""
    return _Difference(tuple(listing), tuple(known), plan).result()


class _Difference:
    def __init__(self, listing: tuple[CloudObject, ...], known: tuple[KnownObject, ...], plan: Expected) -> None:
        self._listing, self._known, self._plan = listing, known, plan
        self._known_ids = {(one.kind, one.id) for one in known}
        labelled = {one.id for one in listing if one.stack == plan.stack}
        self._own_ids = labelled | {one.id for one in known} | plan.existing

    def result(self) -> Comparison:
        leftovers = [one for one in self._unknown if one.kind not in DATA]
        extra = [one for one in leftovers if one.kind == Kind.RULE and one.name not in self._plan.rules]
        delete = [one for one in leftovers if one not in extra]
        adopt, undecided = self._data()
        return Comparison(
            delete=_ordered(delete),
            extra_rules=_ordered(extra),
            adopt=adopt,
            undecided=undecided,
            deleted=self._deleted,
            foreign=any(one.parents & {other.id for other in self._unknown} for one in self._unknown),
            guests=_ordered(one for one in self._listing if self._is_guest(one)),
        )

    @cached_property
    def _unknown(self) -> tuple[CloudObject, ...]:
        """Objects of this stack that are not in the state. Rules of an unknown group are not listed."""
        unknown = [one for one in self._listing if (one.kind, one.id) not in self._known_ids and self._is_own(one)]
        groups = {one.id for one in unknown if one.kind == Kind.SECURITY_GROUP}
        return tuple(one for one in unknown if not (one.kind == Kind.RULE and one.parents & groups))

    def _is_own(self, one: CloudObject) -> bool:
        """Return whether an object belongs to this stack, by its labels, or by its parents if it cannot have labels."""
        match one.kind:
            case Kind.RULE | Kind.ATTACHMENT | Kind.ACCESS | Kind.ROUTER_PORT:
                return bool(one.parents) and one.parents <= self._own_ids
            case Kind.SERVER_GROUP:
                return one.name in self._plan.server_groups and not one.parents
            case _:
                return one.stack == self._plan.stack

    def _is_guest(self, one: CloudObject) -> bool:
        return (
            one.kind in (Kind.PORT, Kind.ATTACHMENT, Kind.ACCESS, Kind.FLOATING_IP)
            and bool(one.parents & self._own_ids)
            and (one.kind, one.id) not in self._known_ids
            and not self._is_own(one)
            and one.name not in self._plan.addresses
        )

    def _data(self) -> tuple[tuple[Adoption, ...], tuple[Undecided, ...]]:
        unknown = [one for one in self._unknown if one.kind in DATA]
        number_of = Counter((one.kind, one.name) for one in unknown)
        known_names = {(one.kind, one.name) for one in self._known}
        adopt: list[Adoption] = []
        undecided: list[Undecided] = []
        for one in sorted(unknown, key=lambda one: (one.name, one.id)):
            name = self._plan.data.get((one.kind, one.name))
            if name is None:
                undecided.append(Undecided(one, "no node of the plan has it", blocks=False))
            elif (one.kind, name) in known_names:
                undecided.append(Undecided(one, f"the state knows another {one.kind} of this name", blocks=False))
            elif number_of[one.kind, one.name] > 1:
                undecided.append(Undecided(one, "there are several of this name", blocks=True))
            elif one.status.startswith("error"):
                undecided.append(Undecided(one, f"its status is {one.status}", blocks=True))
            else:
                adopt.append(Adoption(one, name))
        return tuple(adopt), tuple(undecided)

    @cached_property
    def _deleted(self) -> tuple[KnownObject, ...]:
        listed = {(one.kind, one.id) for one in self._listing}
        return tuple(one for one in self._known if (one.kind, one.id) not in listed)


def _ordered(objects: Iterable[CloudObject]) -> tuple[CloudObject, ...]:
    return tuple(sorted(objects, key=lambda one: (ORDER[one.kind], one.name, one.id)))
