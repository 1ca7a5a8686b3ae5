"""The values from which the contexts of templates are derived."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from model.plan import Node, Plan, Scope
from model.roles import Role
from model.secrets import Secrets

T = TypeVar("T")


@dataclass(frozen=True)
class Source:
    """A node, its stack and the stack's secrets.

    `volume_ids` has the Cinder id of each of its volumes by purpose, `export_locations` the export location of each
    Manila share of the stack by name.
    """

    node: Node
    plan: Plan
    secrets: Secrets
    volume_ids: Mapping[str, str]
    export_locations: Mapping[str, str] = field(default_factory=dict)

    @property
    def release(self) -> Scope:
        """The node's release; the bastion's scope for the bastion."""
        return self.plan.scope_of(self.node)

    def first(self, *roles: Role) -> Node:
        """Return the release's first node with one of `roles`."""
        return self.release.with_role(*roles)[0]

    def limits(self, kind: type[T]) -> T:
        """Return the node's limits of one kind, such as `model.limits.ProxyLimits`."""
        return next(limits for limits in vars(self.node.limits).values() if isinstance(limits, kind))

    def password(self, name: str) -> str:
        """Return a password of the release (`model.secrets.PASSWORDS`)."""
        return self.secrets.password(f"{self.release.name}/{name}")
