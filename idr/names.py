"""Short names for lists of nodes."""

from model.outputs.topology import Topology


def listed(names: tuple[str, ...], topology: Topology) -> str:
    """Return `every node of prod130`, `prod130-omeroreadonly-1..4`, or the names one by one."""
    left = list(names)
    parts = []
    for network in topology.networks:
        members = [node.name for node in topology.nodes if node.network == network.name]
        if len(members) > 1 and set(members) <= set(left):
            parts.append(f"every node of {network.name}")
            left = [name for name in left if name not in members]
    return ", ".join([*parts, *_alike(left)])


def stem(name: str) -> str:
    """Return a node's name without its number."""
    head, dash, number = name.rpartition("-")
    return head if dash and number.isdigit() else name


def _alike(names: list[str]) -> list[str]:
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(stem(name), []).append(name)
    return [
        members[0] if len(members) == 1 else f"{members[0]}..{members[-1].rpartition('-')[2]}"
        for members in groups.values()
    ]
