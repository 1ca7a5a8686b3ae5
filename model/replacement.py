"""Which nodes an update interrupts, and in which order."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from model import balancing
from model.capacity import is_moved
from model.plan import Node, Plan, Scope
from model.roles import Role


@dataclass(frozen=True)
class DeployedServer:
    """The state of an existing server. `zone` is its availability zone, `ports` the number of its networks.

    `deleted` is whether somebody deleted it in the cloud, `off` whether it is switched off. `changed` has the expected
    values of metadata that somebody changed (None: to be removed), `groups` the expected security groups of its ports
    that have others, by the ports' ids.
    """

    image: str
    rebuild: str
    zone: str | None
    flavor: str
    ports: int
    id: str = ""
    deleted: bool = False
    off: bool = False
    changed: Mapping[str, str | None] = field(default_factory=dict)
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Order:
    """The order in which an update changes nodes, by their names.

    `servers` are replaced or resized one after another. Each of `configurations` is a group of nodes that serve the
    same requests; they are configured one after another, so that one of them always answers. `deleted` has the ids of
    servers that were deleted in the cloud, by node: they are created again.
    """

    servers: tuple[str, ...] = ()
    configurations: tuple[tuple[str, ...], ...] = ()
    deleted: Mapping[str, str] = field(default_factory=dict)


def order(plan: Plan, deployed: Mapping[str, DeployedServer]) -> Order:
    """Decide the order in which an update changes the `deployed` servers, given by their names in the plan.

    The bastion comes first, since the others are stopped and configured through it. Nodes without a server do not wait:
    new servers are created and configured all at once.
    """
    scopes = [scope for scope in plan.scopes if not scope.frozen]
    servers = (node for scope in scopes for node in scope.nodes if node.name in deployed)
    alike = (tuple(node.name for node in group if node.name in deployed) for scope in scopes for group in _alike(scope))
    return Order(
        servers=tuple(node.name for node in servers if _is_interrupted(node, deployed[node.name])),
        configurations=tuple(dict.fromkeys(names for names in alike if len(names) > 1)),
        deleted={name: was.id for name, was in deployed.items() if was.deleted},
    )


def replaced(plan: Plan, deployed: Mapping[str, DeployedServer]) -> set[str]:
    """Return the names of the nodes whose servers an update replaces."""
    nodes = (node for scope in plan.scopes if not scope.frozen for node in scope.nodes)
    return {node.name for node in nodes if node.name in deployed and _is_replaced(node, deployed[node.name])}


def _alike(release: Scope) -> Iterator[tuple[Node, ...]]:
    """Yield groups of nodes that serve the same requests, in the order of the plan."""
    yield balancing.web(release)
    yield balancing.omero(release)
    yield release.with_role(Role.PROXY)
    yield from (release.with_role(role) for role in release.site_roles())


def _is_interrupted(node: Node, was: DeployedServer) -> bool:
    return _is_replaced(node, was) or node.flavor_name != was.flavor


def _is_replaced(node: Node, was: DeployedServer) -> bool:
    if was.deleted or is_moved(node.zone, was.zone) or was.ports != (2 if node.storage_network else 1):
        return True
    return (node.image, str(node.rebuild)) != (was.image, was.rebuild)
