"""Decide the limits of each node's services (`model.limits`), from the whole plan."""

from typing import Final

from model import balancing, caching, sizing
from model.limits import DatabaseLimits, Limits, ProxyLimits, WebLimits
from model.plan import Node, Plan, Scope
from model.roles import OMERO_ROLES, Role

CACHE_VOLUME: Final = "nginxcache"
"""The purpose of the volume for the proxy's cache."""

WITHOUT_VOLUME_GIB: Final = 1
"""The size of the cache on the root disk of a proxy without that volume."""


def limits(plan: Plan, release: Scope, node: Node) -> Limits:
    """Return the limits of a node of a release."""
    return Limits(
        database=_database(plan, release, node) if Role.DATABASE in node.roles else None,
        web=_web(release, node) if Role.WEB in node.roles else None,
        proxy=_proxy(plan, release, node) if Role.PROXY in node.roles else None,
        # The database of the live release is not upgraded.
        schema_upgrade=("refused" if release.name == plan.settings.live else "allowed")
        if Role.OMERO_READWRITE in node.roles
        else None,
    )


def _database(plan: Plan, release: Scope, node: Node) -> DatabaseLimits:
    servers = len(release.with_role(*OMERO_ROLES))
    connections = sizing.database_connections(servers, plan.settings.omero.pool_size)
    return DatabaseLimits(
        connections=connections,
        work_memory_mib=node.sizes.work_memory_mib(connections),
        wal_mib=sizing.wal_mib(next(volume.size_gib for volume in node.volumes if volume.purpose == "db")),
    )


def _web(release: Scope, node: Node) -> WebLimits:
    return WebLimits(
        timeout_seconds=balancing.seconds_of_web(node, release),
        few_at_once=balancing.FEW_AT_ONCE,
        many_at_once=balancing.for_many_at_once(node),
    )


def _proxy(plan: Plan, release: Scope, node: Node) -> ProxyLimits:
    return ProxyLimits(
        answers_a_second=balancing.answers_a_second(release),
        at_once_for_one=balancing.at_once_for_one(release),
        visitors_seconds=balancing.seconds_of_proxy("visitors"),
        operators_seconds=balancing.seconds_of_proxy("operators"),
        hops=balancing.hops(release),
        zones=caching.zones(cache_gib(node), caching.kinds(plan.settings.visitors)),
    )


def cache_gib(proxy: Node) -> int:
    """Return the size of a proxy's cache."""
    sizes = (volume.size_gib for volume in proxy.volumes if volume.purpose == CACHE_VOLUME)
    return next(sizes, WITHOUT_VOLUME_GIB)
