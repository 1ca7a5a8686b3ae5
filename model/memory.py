"""Check that the services of each node fit into the memory of its flavor."""

from collections.abc import Iterator

from model import sizing
from model.plan import Node, Plan


def problems(plan: Plan) -> Iterator[str]:
    """Yield groups of nodes whose services need more memory than their flavor has, each with its key."""
    for release in plan.releases:
        groups = {node.group: node for node in release.nodes}
        for group, node in groups.items():
            yield from (f"releases.{release.name}.nodes.{group}: {problem}" for problem in _of_node(node))


def _of_node(node: Node) -> Iterator[str]:
    memory, committed = node.flavor.memory_mib, node.sizes.committed_mib
    if committed > memory:
        heaps = "heapMib and half as much for search and pyramids" if node.sizes.helper_heap_mib else "heapMib"
        yield (
            f"its services take {committed} MiB ({heaps}, webWorkers of {sizing.MIB_PER_WEB_WORKER} MiB "
            f"each), its flavor '{node.flavor_name}' has {memory}"
        )
    free = max(0, memory - committed)
    keys = sum(zone.keys_mib for zone in node.limits.proxy.zones) if node.limits.proxy else 0
    # nginx does not start without memory for the keys, and is killed when they fill the memory.
    if keys > free:
        yield (
            f"the keys of its cache take {keys} MiB, its flavor '{node.flavor_name}' has {free} beside what its other "
            "services take; choose a smaller volume 'nginxcache' or a larger flavor"
        )
