"""The stack's state: the objects that the engine manages, and their cloud and project."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from idr import engine, resources
from model.comparison import Kind, KnownObject

KINDS = {
    resources.SERVER: Kind.SERVER,
    resources.SERVER_GROUP: Kind.SERVER_GROUP,
    resources.ATTACHMENT: Kind.ATTACHMENT,
    resources.VOLUME: Kind.VOLUME,
    resources.FLOATING_IP: Kind.FLOATING_IP,
    resources.NETWORK: Kind.NETWORK,
    resources.PORT: Kind.PORT,
    resources.ROUTER: Kind.ROUTER,
    resources.ROUTER_INTERFACE: Kind.ROUTER_PORT,
    resources.SECURITY_GROUP: Kind.SECURITY_GROUP,
    resources.SECURITY_RULE: Kind.RULE,
    resources.SUBNET: Kind.SUBNET,
    resources.SHARE: Kind.SHARE,
    resources.SHARE_ACCESS: Kind.ACCESS,
}
"""The types of resources that are objects of a project."""


@dataclass(frozen=True)
class Resource:
    """A resource of the state. `id` is None for components, which have no object."""

    urn: str
    type: str
    id: str | None
    protect: bool
    inputs: Mapping[str, Any] = field(repr=False)
    outputs: Mapping[str, Any] = field(repr=False)

    @property
    def name(self) -> str:
        """The logical name, the last part of the URN."""
        return resources.name_of(self.urn)

    @property
    def object_id(self) -> str | None:
        """The id of its object as in `model.comparison`, where an access rule's id includes its share's."""
        return f"{self.outputs.get('shareId')}/{self.id}" if KINDS.get(self.type) == Kind.ACCESS else self.id


@dataclass(frozen=True)
class CloudIdentity:
    """The project and region of objects."""

    project: str
    region: str


@dataclass(frozen=True)
class State:
    """The content of `pulumi stack export`. `pending` are the URNs of pending operations."""

    resources: tuple[Resource, ...]
    pending: tuple[str, ...] = ()

    def known(self) -> tuple[KnownObject, ...]:
        """Return the objects of the project that are in the state."""
        return tuple(
            KnownObject(KINDS[one.type], one.object_id, one.name, one.protect)
            for one in self.resources
            if one.type in KINDS and one.object_id
        )

    def outputs(self) -> Mapping[str, Any]:
        """Return the stack's outputs after the last update, which may have been interrupted."""
        return next((one.outputs for one in self.resources if one.type == resources.STACK), {})

    def servers(self) -> dict[str, Resource]:
        """Return the servers by their names in the plan."""
        return {one.name: one for one in self.resources if KINDS.get(one.type) == Kind.SERVER}

    def ports(self) -> dict[str, Resource]:
        """Return the ports by their names in the program."""
        return {one.name: one for one in self.resources if KINDS.get(one.type) == Kind.PORT}

    def stops(self) -> dict[str, Resource]:
        """Return the stop commands of an earlier version by node. They run on the node when they are deleted."""
        commands = (one for one in self.resources if one.type == resources.CONFIGURATION and one.inputs.get("delete"))
        return {one.name: one for one in commands}

    def identity(self) -> CloudIdentity | None:
        """Return the project and region of the stack, from what Neutron created; None before the first `up`."""
        return next(self._identities(), None)

    def _identities(self) -> Iterator[CloudIdentity]:
        for one in self.resources:
            project, region = one.outputs.get("tenantId"), one.outputs.get("region")
            if one.type in KINDS and project and region:
                yield CloudIdentity(project, region)


def read(stack: str) -> State:
    """Read the state of a stack, without lock or passphrase. Raises EngineError."""
    return of_export(json.loads(engine.run("stack", "export", "--stack", stack)))


def of_export(export: Mapping[str, Any]) -> State:
    """Parse the state in an export.

    The engine keeps an entry of a resource that it deleted for a replacement, until the new one exists. Such entries
    have no object, so they are skipped.
    """
    deployment = export.get("deployment") or {}
    entries = deployment.get("resources") or ()
    return State(
        resources=tuple(_resource(entry) for entry in entries if not entry.get("pendingReplacement")),
        pending=tuple(entry["resource"]["urn"] for entry in deployment.get("pending_operations") or ()),
    )


def _resource(entry: Mapping[str, Any]) -> Resource:
    return Resource(
        urn=entry["urn"],
        type=entry["type"],
        id=entry.get("id"),
        protect=entry.get("protect", False),
        inputs=entry.get("inputs") or {},
        outputs=entry.get("outputs") or {},
    )
