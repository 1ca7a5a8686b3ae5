"""Derived sizes: connections from pools, memory from flavors and the roles that share them."""

from collections.abc import Iterable
from dataclasses import dataclass

from model.release_settings import Flavor, NodeGroup
from model.roles import OMERO_ROLES, NodeRole, Role, role_facts
from model.visitors import Visitors

RESERVED_CONNECTIONS = 25
"""Connections beyond the pools: operators, exporters, PostgreSQL's own superuser reserve."""

MIB_PER_WEB_WORKER = 150
"""Resident size of an OMERO.web worker, rounded up."""

MOST_WEB_WORKERS = 25
"""As in IDR; more than the processors can serve would only wait."""

HELPERS = 2
"""Processes of OMERO.server with a heap of their own, where users log in: they search, and make pyramids."""

FEWEST_WEB_WORKERS = 2
SMALLEST_HEAP_MIB = 256


@dataclass(frozen=True)
class Sizes:
    """The sizes of a node's services, 0 for those that it does not have.

    `database_mib` and `redis_mib` are the role's share of the memory, from which the next ones follow. `heap_mib` is
    the Java heap of OMERO.server, `helper_heap_mib` that of each of its two helpers (indexer and pixel data).
    """

    database_mib: int
    shared_buffers_mib: int
    effective_cache_mib: int
    maintenance_memory_mib: int
    redis_mib: int
    redis_memory_mib: int
    heap_mib: int
    helper_heap_mib: int
    web_workers: int

    @property
    def committed_mib(self) -> int:
        """Memory that is needed when all services are busy; the node must have as much."""
        omero = self.heap_mib + HELPERS * self.helper_heap_mib
        return omero + self.web_workers * MIB_PER_WEB_WORKER + self.shared_buffers_mib + self.redis_memory_mib

    def work_memory_mib(self, connections: int) -> int:
        """Return the memory of one sort: what shared_buffers leave, for two on each connection; at least 4 MiB."""
        return max(4, self.database_mib * 3 // 4 // (2 * connections))


def sizes(group: NodeGroup, flavor: Flavor, visitors: Visitors) -> Sizes:
    """Return the sizes on each node of a group, derived from the flavor unless the settings have them."""

    def share(*roles: NodeRole) -> int:
        return sum(share_mib(flavor, group.roles, role) for role in roles if role in group.roles)

    database, redis = share(Role.DATABASE), share(Role.REDIS)
    heap = (group.heap_mib or _heap_mib(share(*OMERO_ROLES))) if OMERO_ROLES.intersection(group.roles) else 0
    return Sizes(
        database_mib=database,
        # As PostgreSQL's documentation recommends.
        shared_buffers_mib=database // 4,
        # What the planner may take to be cached.
        effective_cache_mib=database * 3 // 4,
        # For one index build or vacuum.
        maintenance_memory_mib=min(2048, database // 16),
        redis_mib=redis,
        # A snapshot can need as much again for a moment.
        redis_memory_mib=redis // 2,
        heap_mib=heap,
        helper_heap_mib=heap // 4 if visitors == Visitors.LOGIN else 0,
        web_workers=(group.web_workers or _web_workers(flavor, share(Role.WEB))) if Role.WEB in group.roles else 0,
    )


def share_mib(flavor: Flavor, roles: Iterable[NodeRole], role: NodeRole) -> int:
    """Return the share of a node's memory for one of its `roles`."""
    total = sum(role_facts(carried).memory_share for carried in roles)
    return flavor.memory_mib * role_facts(role).memory_share // total


def _heap_mib(share: int) -> int:
    """Return nine sixteenths of OMERO.server's memory (IDR: 24 of 64 GB, with OMERO.web); the rest is cache."""
    return max(SMALLEST_HEAP_MIB, share * 9 // 16)


def _web_workers(flavor: Flavor, share: int) -> int:
    """Return the number by processors, limited by the memory of OMERO.web."""
    return max(FEWEST_WEB_WORKERS, min(MOST_WEB_WORKERS, 4 * flavor.vcpus, share // MIB_PER_WEB_WORKER))


def database_connections(omero_servers: int, pool: int) -> int:
    """Return max_connections: room for every server's whole pool (25 x 5 is over PostgreSQL's default of 100)."""
    return max(100, pool * omero_servers + RESERVED_CONNECTIONS)


def wal_mib(volume_gib: int) -> int:
    """Return max_wal_size: a twentieth of the volume that the log shares with the data, 64 MiB to 16 GiB."""
    return min(16384, max(64, volume_gib * 1024 // 20))
