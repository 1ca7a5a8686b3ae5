"""The proxy's cache zones: one for each kind of response, with sizes that follow from the cache volume."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from model import addresses
from model.addresses import STATIC
from model.visitors import Visitors

MIB_PER_GIB: Final = 1024
SECONDS_PER_HOUR: Final = 3600

USED: Final = 0.9
"""Share of the volume that the zones may fill: nginx removes old responses shortly after a zone is over its size."""

FREE: Final = 0.04
"""Share of the volume that nginx keeps free: with less, it removes old responses whatever the zones hold."""

KEYS_PER_MIB: Final = 8000
"""nginx, proxy_cache_path: "One megabyte zone can store about 8 thousand keys"."""


@dataclass(frozen=True)
class Kind:
    """A kind of response: its share of the cache, its typical size, and how long it is fresh (addresses.yaml)."""

    name: str
    share: float
    typical_kib: float
    fresh_seconds: int


KINDS: Final = tuple(
    Kind(name, kind["share"], kind["typicalKib"], kind["freshHours"] * SECONDS_PER_HOUR)
    for name, kind in addresses.kinds().items()
)

FOR_USERS: Final = tuple(kind for kind in KINDS if kind.name == STATIC)
"""The kinds that are the same for everybody where users log in.

Others have no zone there, so nothing else is cached.
"""

UNUSED: Final = "180d"
"""nginx removes a response that nobody has requested for this time, fresh or not."""


@dataclass(frozen=True)
class Zone:
    """A cache zone of nginx. Sizes in MiB; `keys_mib` is memory, `size_mib` and `free_mib` are disk."""

    name: str
    size_mib: int
    keys_mib: int
    free_mib: int


def kinds(visitors: Visitors) -> tuple[Kind, ...]:
    """Return the kinds of responses that are cached."""
    return KINDS if visitors == Visitors.PUBLIC else FOR_USERS


def zones(size_gib: int, kinds: Iterable[Kind] = KINDS) -> tuple[Zone, ...]:
    """Return the zones of these kinds in a cache of that size, in their order.

    The memory for keys is what a zone needs when it is full, so it grows with the disk and with nothing else.
    """
    return tuple(_zone(kind, size_gib * MIB_PER_GIB) for kind in kinds)


def _zone(kind: Kind, total_mib: int) -> Zone:
    size = max(1, int(total_mib * USED * kind.share))
    keys = size * 1024 / kind.typical_kib
    return Zone(
        name=kind.name,
        size_mib=size,
        keys_mib=max(1, round(keys / KEYS_PER_MIB)),
        free_mib=int(total_mib * FREE),
    )
