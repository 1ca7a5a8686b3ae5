"""Whether the services of each node fit into the memory of its flavor.

It reads settings, not the plan, so that it is reported with all other mistakes of a stack file at once: a plan is only
made of settings without any. The sizes are those of the plan, by the same function.
"""

from collections.abc import Iterable, Iterator, Mapping

from model import caching, sizing
from model.release_settings import Flavor, NodeGroup


def problems(groups: Iterable[tuple[str, NodeGroup]], flavors: Mapping[str, Flavor]) -> Iterator[str]:
    """Groups of nodes whose services take more than there is, each with the key that leads to it."""
    for where, group in groups:
        flavor = flavors.get(group.flavor)
        if flavor is None:
            continue
        taken = sizing.sizes(group, flavor).committed_mib
        if taken > flavor.memory_mib:
            yield (
                f"{where}: its services take {taken} MiB (heapMib, webWorkers of {sizing.MIB_PER_WEB_WORKER} MiB "
                f"each), its flavor '{group.flavor}' has {flavor.memory_mib}"
            )
        cache = group.volumes.get(caching.PURPOSE)
        # nginx ends when it gets no memory for them, and is killed when they fill it.
        if cache and (keys := caching.keys_mib(cache.size_gib)) > max(0, flavor.memory_mib - taken):
            yield (
                f"{where}: the keys of a cache of {cache.size_gib} GiB take {keys} MiB, its flavor '{group.flavor}' "
                f"has {max(0, flavor.memory_mib - taken)} beside what its other services take"
            )
