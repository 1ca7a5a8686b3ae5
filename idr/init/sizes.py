"""What each layout needs of a project: machines, processors, memory and disk."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from idr.init.compose import layout_values, layouts
from model.release_settings import Flavor


@dataclass(frozen=True)
class Size:
    """A layout's need, the bastion included. Memory is in GiB, `disk_gib` is that of all data volumes."""

    layout: str
    nodes: int
    vcpus: int
    memory_gib: int
    disk_gib: int

    def shortfalls(self, free: Mapping[str, float]) -> list[str]:
        """Return what a project with `free` instances, cores and ram (MiB) lacks; an unknown quota counts as enough."""
        needs = {"instances": self.nodes, "cores": self.vcpus, "ram (MiB)": self.memory_gib * 1024}
        known = {name: need for name, need in needs.items() if name in free}
        return [f"{need} {name}, {free[name]:.0f} left" for name, need in known.items() if need > free[name]]

    def __str__(self) -> str:
        return (
            f"{self.layout} ({self.nodes} nodes, {self.vcpus} vCPU, {self.memory_gib} GiB of memory, "
            f"{self.disk_gib} GiB of disk)"
        )


def size(layout: str, chosen: Mapping[str, Flavor] | None = None) -> Size:
    """Return what a layout needs. `chosen` has the cloud's flavors for those of its file, by their names there."""
    values = layout_values(layout)
    groups: list[dict[str, Any]] = [values["bastion"]]
    groups += [group for release in values["releases"].values() for group in release["nodes"].values()]
    counts = [group.get("count", 1) for group in groups]
    described = {name: Flavor.model_validate(flavor) for name, flavor in values["flavors"].items()} | dict(chosen or {})
    flavors = [described[group["flavor"]] for group in groups]
    volumes = [sum(volume["sizeGib"] for volume in group.get("volumes", {}).values()) for group in groups]
    return Size(
        layout=layout,
        nodes=sum(counts),
        vcpus=sum(count * flavor.vcpus for count, flavor in zip(counts, flavors, strict=True)),
        memory_gib=sum(count * flavor.memory_mib for count, flavor in zip(counts, flavors, strict=True)) // 1024,
        disk_gib=sum(count * gib for count, gib in zip(counts, volumes, strict=True)),
    )


def sizes() -> tuple[Size, ...]:
    """Return what each layout needs, the smallest first."""
    return tuple(sorted((size(layout) for layout in layouts()), key=lambda one: (one.memory_gib, one.vcpus)))
