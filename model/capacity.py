"""Whether a cloud can hold what the plan still has to create: all shortfalls at once."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from model.plan import Node, Plan, Volume, cloud_prefix
from model.planning import PLACEHOLDER
from model.release_settings import Flavor

UNLIMITED = -1
PORTS_OF_A_NETWORK = 2
"""Of its DHCP server and of its router's interface."""


@dataclass(frozen=True)
class Quota:
    """A limit of the project (-1: none) and how much of it is used."""

    limit: int
    used: int

    @property
    def free(self) -> float:
        """How much is left."""
        return float("inf") if self.limit == UNLIMITED else self.limit - self.used


@dataclass(frozen=True)
class Offer:
    """What the cloud has for this project.

    `there` are names (of volumes and snapshots also ids) by kind, `made` names of what this stack has made, by the
    same names of kinds as `quotas`.
    """

    flavors: Mapping[str, Flavor] = field(default_factory=dict)
    there: Mapping[str, frozenset[str]] = field(default_factory=dict)
    quotas: Mapping[str, Quota] = field(default_factory=dict)
    made: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Need:
    """How much more of a quota the plan needs, and what is left of it. `limit` is -1 where there is none."""

    quota: str
    more: int
    free: float
    limit: int

    @property
    def fits(self) -> bool:
        """Whether it is enough."""
        return self.more <= self.free

    def __str__(self) -> str:
        return f"quota of {self.quota}: {self.more} more needed, {self.free:.0f} left of {self.limit}"


def is_complete(plan: Plan, servers: Iterable[str]) -> bool:
    """Whether every server is there already, so that nothing large is left to create."""
    return {f"{cloud_prefix(plan.stack)}-{node.name}" for node in plan.nodes}.issubset(servers)


def shortfalls(plan: Plan, offer: Offer) -> list[str]:
    """What the cloud lacks, a line each; empty when it has everything."""
    return [*absent(plan, offer), *(str(need) for need in needs(plan, offer) if not need.fits)]


def needs(plan: Plan, offer: Offer) -> tuple[Need, ...]:
    """What the plan still needs of each quota that the cloud has told."""
    wanted = _Missing(plan, offer).quantities()
    return tuple(
        Need(name, more, offer.quotas[name].free, offer.quotas[name].limit)
        for name, more in wanted.items()
        if name in offer.quotas
    )


def absent(plan: Plan, offer: Offer) -> list[str]:
    """Things that the plan names, that must be there beforehand and are not, a line each."""
    missing = _Missing(plan, offer)
    lines = [
        _is_not_there(kind, name, offer.there[kind])
        for kind, name in _named(plan, missing)
        if name != PLACEHOLDER and name not in offer.there.get(kind, frozenset({name}))
    ]
    described = {node.flavor_name: node.flavor for node in missing.nodes}
    return lines + [line for name in sorted(described) for line in _flavor_problems(name, described[name], offer)]


class _Missing:
    """What of the plan this stack has not made yet."""

    def __init__(self, plan: Plan, offer: Offer) -> None:
        self._plan, self._offer, self._prefix = plan, offer, cloud_prefix(plan.stack)

    def _is_made(self, kind: str, name: str) -> bool:
        return f"{self._prefix}-{name}" in self._offer.made.get(kind, frozenset())

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        return tuple(node for node in self._plan.nodes if not self._is_made("instances", node.name))

    @cached_property
    def volumes(self) -> tuple[Volume, ...]:
        volumes = (volume for node in self._plan.nodes for volume in node.volumes)
        return tuple(v for v in volumes if not v.existing and not self._is_made("volumes", v.name))

    def quantities(self) -> dict[str, int]:
        """How much more of each quota."""
        boot = [node.boot_volume_gib for node in self.nodes if node.boot_volume_gib]
        new_networks = [
            scope.name
            for scope in self._plan.scopes
            if not scope.subnet.existing and not self._is_made("networks", scope.name)
        ]
        own_router = self._plan.router is None and self._prefix not in self._offer.made.get("routers", frozenset())
        return {
            "instances": len(self.nodes),
            "cores": sum(node.flavor.vcpus for node in self.nodes),
            "ram (MiB)": sum(node.flavor.memory_mib for node in self.nodes),
            "server groups": sum(
                not self._is_made("server groups", name) for scope in self._plan.scopes for name in scope.server_groups
            ),
            "volumes": len(self.volumes) + len(boot),
            "volume gigabytes": sum(volume.size_gib for volume in self.volumes) + sum(boot),
            "networks": len(new_networks),
            "subnets": len(new_networks),
            "routers": int(own_router),
            "ports": sum(self._ports()) + PORTS_OF_A_NETWORK * len(new_networks),
            "floating IPs": self._floating_ips(),
            "security groups": len(self._groups()),
            "security group rules": sum(
                rule.group in self._groups() for scope in self._plan.scopes for rule in scope.rules
            ),
        }

    def _ports(self) -> Iterator[int]:
        for node in self._plan.nodes:
            yield int(not self._is_made("ports", node.name))
            if node.storage_network:
                yield int(not self._is_made("ports", f"{node.name}-storage"))

    def _floating_ips(self) -> int:
        given = {"bastion": self._plan.floating_ips.bastion, "public": self._plan.floating_ips.public}
        made = self._offer.made.get("floating IPs", frozenset())
        return sum(address is None and f"{self._prefix} {name}" not in made for name, address in given.items())

    def _groups(self) -> frozenset[str]:
        groups = (group for scope in self._plan.scopes for group in scope.security_groups)
        return frozenset(group for group in groups if not self._is_made("security groups", group))


def _named(plan: Plan, missing: _Missing) -> list[tuple[str, str]]:
    """Every kind and name that must be there, in a fixed order."""
    found: dict[tuple[str, str], None] = {}

    def want(kind: str, *names: object) -> None:
        found.update({(kind, str(name)): None for name in names if name is not None})

    want("image", *sorted({node.image for node in missing.nodes}))
    want("external network", plan.external_network)
    want("router", plan.router)
    want("network", *(scope.subnet.existing for scope in plan.scopes))
    want("network", *(node.storage_network for node in missing.nodes))
    want("key pair", plan.keypair)
    want("floating IP", plan.floating_ips.bastion, plan.floating_ips.public)
    want("availability zone", *sorted({node.zone for node in missing.nodes if node.zone}))
    want("volume type", *sorted({volume.type for volume in missing.volumes if volume.type}))
    want("volume", *(volume.existing for node in plan.nodes for volume in node.volumes))
    for source in (volume.source for volume in missing.volumes if volume.source):
        want("volume", source.volume)
        want("snapshot", source.snapshot)
    return list(found)


def _is_not_there(kind: str, name: str, there: Iterable[str]) -> str:
    return f"{kind} '{name}' is not there; there are: {', '.join(sorted(there)) or 'none'}"


def _flavor_problems(name: str, described: Flavor, offer: Offer) -> list[str]:
    there = offer.flavors.get(name)
    if there is None:
        return [_is_not_there("flavor", name, offer.flavors)]
    if there.memory_mib < described.memory_mib or there.vcpus < described.vcpus:
        return [
            f"flavor '{name}' has {there.vcpus} vCPU and {there.memory_mib} MiB, "
            f"the settings say {described.vcpus} and {described.memory_mib}"
        ]
    return []
