"""Numbers that follow from others: connections from pools, memory from flavors."""

from model.settings import Flavor

OMERO_POOL = 25
"""omero.db.poolsize of each OMERO.server, as in IDR."""

RESERVED_CONNECTIONS = 25
"""Connections beyond the pools: operators, exporters, PostgreSQL's own superuser reserve."""

MIB_PER_WEB_WORKER = 150
"""Resident size of an OMERO.web worker, rounded up."""

MOST_WEB_WORKERS = 25
"""As in IDR; more than its processors can serve at once only wait."""


def database_connections(omero_servers: int) -> int:
    """max_connections: room for every server's whole pool (25 x 5 servers is over PostgreSQL's default of 100)."""
    return max(100, OMERO_POOL * omero_servers + RESERVED_CONNECTIONS)


def shared_buffers_mib(flavor: Flavor) -> int:
    """A quarter of memory, as PostgreSQL's documentation recommends for a server of its own."""
    return flavor.memory_mib // 4


def effective_cache_mib(flavor: Flavor) -> int:
    """Three quarters of memory: what the planner may take to be cached."""
    return flavor.memory_mib * 3 // 4


def redis_memory_mib(flavor: Flavor) -> int:
    """Half of memory: rewriting the append-only file can need as much again for a moment."""
    return flavor.memory_mib // 2


def web_workers(flavor: Flavor) -> int:
    """OMERO.web's processes: by processors, but never more than half of memory holds."""
    return max(2, min(MOST_WEB_WORKERS, 4 * flavor.vcpus, flavor.memory_mib // 2 // MIB_PER_WEB_WORKER))


def blitz_heap_mib(flavor: Flavor) -> int:
    """Java heap of OMERO.server: three eighths of memory (IDR gives 24 of 64 GB), the rest is OMERO.web's and cache."""
    return flavor.memory_mib * 3 // 8
