"""Numbers that follow from others: connections from pools, memory from flavors and what shares them."""

from typing import Protocol

from model.release_settings import Flavor
from model.roles import NodeRole, Role, role_facts

RESERVED_CONNECTIONS = 25
"""Connections beyond the pools: operators, exporters, PostgreSQL's own superuser reserve."""

MIB_PER_WEB_WORKER = 150
"""Resident size of an OMERO.web worker, rounded up."""

MOST_WEB_WORKERS = 25
"""As in IDR; more than its processors can serve at once only wait."""

FEWEST_WEB_WORKERS = 2
SMALLEST_HEAP_MIB = 256


class Sized(Protocol):
    """What the sizes depend on: a node's machine and what it carries; the last two are asked for by name or None."""

    @property
    def flavor(self) -> Flavor:
        """Its machine."""

    @property
    def roles(self) -> tuple[NodeRole, ...]:
        """What divides it."""

    @property
    def heap_mib(self) -> int | None:
        """OMERO.server's Java heap, where the settings say it."""

    @property
    def web_workers(self) -> int | None:
        """OMERO.web's processes, where the settings say it."""


def share_mib(node: Sized, role: NodeRole) -> int:
    """The part of a node's memory that is for one of its roles."""
    whole = sum(role_facts(carried).memory_share for carried in node.roles)
    return node.flavor.memory_mib * role_facts(role).memory_share // whole


def database_connections(omero_servers: int, pool: int) -> int:
    """max_connections: room for every server's whole pool (25 x 5 servers is over PostgreSQL's default of 100)."""
    return max(100, pool * omero_servers + RESERVED_CONNECTIONS)


def shared_buffers_mib(node: Sized) -> int:
    """A quarter of what the database has, as PostgreSQL's documentation recommends."""
    return share_mib(node, Role.DATABASE) // 4


def effective_cache_mib(node: Sized) -> int:
    """Three quarters of what the database has: what the planner may take to be cached."""
    return share_mib(node, Role.DATABASE) * 3 // 4


def maintenance_memory_mib(node: Sized) -> int:
    """For one index build or vacuum: a sixteenth of what the database has, at most 2 GiB."""
    return min(2048, share_mib(node, Role.DATABASE) // 16)


def work_memory_mib(node: Sized, connections: int) -> int:
    """For one sort: what is left beside shared_buffers, were every connection to do two at once; at least 4 MiB."""
    return max(4, share_mib(node, Role.DATABASE) * 3 // 4 // (2 * connections))


def wal_mib(volume_gib: int) -> int:
    """max_wal_size: a twentieth of the volume that the log shares with the data, 64 MiB to 16 GiB."""
    return min(16384, max(64, volume_gib * 1024 // 20))


def redis_memory_mib(node: Sized) -> int:
    """Half of what redis has: a snapshot can need as much again for a moment."""
    return share_mib(node, Role.REDIS) // 2


def web_workers(node: Sized) -> int:
    """OMERO.web's processes: by processors, but never more than its memory holds."""
    if node.web_workers is not None:
        return node.web_workers
    most = min(MOST_WEB_WORKERS, 4 * node.flavor.vcpus, share_mib(node, Role.WEB) // MIB_PER_WEB_WORKER)
    return max(FEWEST_WEB_WORKERS, most)


def blitz_heap_mib(node: Sized) -> int:
    """OMERO.server's Java heap: nine sixteenths of what it has (IDR: 24 of 64 GB, web beside); the rest is cache."""
    if node.heap_mib is not None:
        return node.heap_mib
    (role,) = (role for role in node.roles if role in (Role.OMERO_READWRITE, Role.OMERO_READONLY))
    return max(SMALLEST_HEAP_MIB, share_mib(node, role) * 9 // 16)


def committed_mib(node: Sized) -> int:
    """Memory that is surely taken once all of a node's services are busy; more than the node has is a contradiction."""
    carried = set(node.roles)
    taken = 0
    if carried & {Role.OMERO_READWRITE, Role.OMERO_READONLY}:
        taken += blitz_heap_mib(node)
    if Role.WEB in carried:
        taken += web_workers(node) * MIB_PER_WEB_WORKER
    if Role.DATABASE in carried:
        taken += shared_buffers_mib(node)
    if Role.REDIS in carried:
        taken += redis_memory_mib(node)
    return taken
