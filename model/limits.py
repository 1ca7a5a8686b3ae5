"""Limits of a node's services that depend on other nodes of its release: types; `model.tuning` decides the values.

`model.sizing` has the sizes that follow from the node alone.
"""

from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Literal

from model.caching import Zone


@dataclass(frozen=True)
class DatabaseLimits:
    """PostgreSQL: connections for the pools of all OMERO.servers, memory of one sort, size of the write-ahead log."""

    connections: int
    work_memory_mib: int
    wal_mib: int


@dataclass(frozen=True)
class WebLimits:
    """OMERO.web: the time-out of a response, and its processes for visitors with more than `few_at_once` requests."""

    timeout_seconds: int
    few_at_once: int
    many_at_once: int


@dataclass(frozen=True)
class Hop:
    """A server of the proxy's nginx before one OMERO.web, for one audience, on a port of loopback.

    OMERO.web may take `seconds` for a response. At most `at_once` requests wait for it.
    """

    audience: str
    node: str
    address: IPv4Address
    port: int
    seconds: int
    at_once: int


@dataclass(frozen=True)
class ProxyLimits:
    """nginx: its cache zones, limits of requests of one visitor, and time-outs of responses.

    `visitors_seconds` and `operators_seconds` are the time-outs of a `Hop`.
    """

    answers_a_second: int
    at_once_for_one: int
    visitors_seconds: int
    operators_seconds: int
    hops: tuple[Hop, ...]
    zones: tuple[Zone, ...]


@dataclass(frozen=True)
class Limits:
    """The limits of a node's services; None for a service that it does not have.

    `schema_upgrade` says whether the node may upgrade OMERO's database, which a new OMERO.server may need.
    """

    database: DatabaseLimits | None = None
    web: WebLimits | None = None
    proxy: ProxyLimits | None = None
    schema_upgrade: Literal["allowed", "refused"] | None = None
