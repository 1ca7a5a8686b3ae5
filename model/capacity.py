"""Whether a cloud can hold what the plan still has to create: all shortfalls at once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from model.plan import Node, Plan, cloud_prefix
from model.release_settings import Flavor

UNLIMITED = -1


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
    """What the cloud has: names of images, flavors and external networks, quotas, and what this stack has made.

    `broken` are servers of this stack that ended in ERROR.
    """

    images: frozenset[str]
    flavors: Mapping[str, Flavor]
    external_networks: frozenset[str]
    quotas: Mapping[str, Quota]
    servers: frozenset[str]
    volumes: frozenset[str]
    floating_ips: int
    broken: tuple[str, ...] = ()


def shortfalls(plan: Plan, offer: Offer) -> list[str]:
    """What the cloud lacks, a line each; empty when it has everything or nothing is left to create."""
    prefix = f"{cloud_prefix(plan.stack)}-"
    missing = [node for node in plan.nodes if prefix + node.name not in offer.servers]
    if not missing:
        return []
    return [*_absent(plan, missing, offer), *_over_quota(_needs(missing, offer, prefix), offer.quotas)]


def _absent(plan: Plan, nodes: Iterable[Node], offer: Offer) -> list[str]:
    images = sorted({node.image for node in nodes} - offer.images)
    lines = [f"image '{image}' is not there; there are: {_listed(offer.images)}" for image in images]
    for name in sorted({node.flavor_name for node in nodes}):
        lines += _flavor_problems(name, next(n.flavor for n in nodes if n.flavor_name == name), offer)
    if plan.external_network not in offer.external_networks:
        lines.append(
            f"external network '{plan.external_network}' is not there; there are: {_listed(offer.external_networks)}"
        )
    return lines


def _flavor_problems(name: str, described: Flavor, offer: Offer) -> list[str]:
    there = offer.flavors.get(name)
    if there is None:
        return [f"flavor '{name}' is not there; there are: {_listed(offer.flavors)}"]
    if there.memory_mib < described.memory_mib or there.vcpus < described.vcpus:
        return [
            f"flavor '{name}' has {there.vcpus} vCPU and {there.memory_mib} MiB, "
            f"the settings say {described.vcpus} and {described.memory_mib}"
        ]
    return []


def _needs(nodes: list[Node], offer: Offer, prefix: str) -> dict[str, int]:
    volumes = [volume for node in nodes for volume in node.volumes if prefix + volume.name not in offer.volumes]
    return {
        "instances": len(nodes),
        "cores": sum(node.flavor.vcpus for node in nodes),
        "ram (MiB)": sum(node.flavor.memory_mib for node in nodes),
        "volumes": len(volumes),
        "volume gigabytes": sum(volume.size_gib for volume in volumes),
        "floating IPs": max(0, 2 - offer.floating_ips),
        "ports": len(nodes),
    }


def _over_quota(needs: Mapping[str, int], quotas: Mapping[str, Quota]) -> list[str]:
    return [
        f"quota of {name}: {need} more needed, {quotas[name].free:.0f} left of {quotas[name].limit}"
        for name, need in needs.items()
        if name in quotas and need > quotas[name].free
    ]


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"
