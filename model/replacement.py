"""Which servers an update replaces, and in which order."""

from collections.abc import Mapping
from dataclasses import dataclass

from model.plan import Node, Plan


@dataclass(frozen=True)
class Deployed:
    """What a server was made from. `zone` is None where the cloud chose it."""

    image: str
    rebuild: str
    zone: str | None


def turns(plan: Plan, deployed: Mapping[str, Deployed]) -> tuple[str, ...]:
    """The nodes whose servers an update replaces, in the order in which it must.

    The bastion comes first, since the others are stopped and configured through it. A node without a server has no
    turn: new servers are all made at once.
    """
    nodes = (node for scope in plan.scopes if not scope.frozen for node in scope.nodes)
    return tuple(node.name for node in nodes if node.name in deployed and _is_replaced(node, deployed[node.name]))


def _is_replaced(node: Node, was: Deployed) -> bool:
    moved = node.zone is not None and was.zone is not None and node.zone != was.zone
    return moved or (node.image, str(node.rebuild)) != (was.image, was.rebuild)
