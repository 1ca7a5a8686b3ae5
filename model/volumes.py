"""Check volumes and snapshots of the cloud that a plan names: they may exist and be unusable."""

from collections.abc import Iterable, Iterator

from model.cloud_state import CloudState
from model.plan import Plan, Volume


def existing(plan: Plan, state: CloudState) -> Iterator[str]:
    """Yield existing volumes that cannot be attached, or that are smaller than planned."""
    known = {volume.id: volume for volume in state.volumes or ()}
    own_servers = {server.id for server in state.servers}
    for planned in (planned for node in plan.nodes for planned in node.volumes):
        volume = known.get(str(planned.existing))
        if volume is None:
            continue
        if volume.size_gib < planned.size_gib:
            yield f"volume '{volume.id}' has {volume.size_gib} GiB, and sizeGib says {planned.size_gib}: correct that"
        others = sorted(set(volume.servers) - own_servers)
        if others:
            yield f"volume '{volume.id}' is attached to server {', '.join(others)}, not of this stack: detach it first"
        elif volume.status != "available" and not volume.servers:
            yield f"volume '{volume.id}' has the status '{volume.status}': a server takes an available one only"


def shrunk(plan: Plan, state: CloudState) -> Iterator[str]:
    """Yield the stack's own volumes that are larger than planned: Cinder would refuse that during the update."""
    sizes = {volume.name: volume.size_gib for volume in state.volumes or () if volume.is_own}
    for planned in (planned for node in plan.nodes for planned in node.volumes if not planned.existing):
        size = sizes.get(plan.cloud_name(planned.name), 0)
        if size > planned.size_gib:
            yield (
                f"volume '{planned.name}' has {size} GiB, sizeGib says {planned.size_gib}: no volume can shrink; set "
                f"sizeGib to {size}"
            )


def sources(state: CloudState, new: Iterable[Volume]) -> Iterator[str]:
    """Yield sources of new volumes that cannot be copied: they are incomplete, or larger than the copy."""
    volumes = {volume.id: volume for volume in state.volumes or ()}
    snapshots = {snapshot.id: snapshot for snapshot in state.snapshots or ()}
    for volume in new:
        if volume.source is None:
            continue
        kind = "volume" if volume.source.volume else "snapshot"
        named = str(volume.source.volume or volume.source.snapshot)
        source = volumes.get(named) or snapshots.get(named)
        if source is None:
            continue
        # A volume can be copied while it is attached.
        if source.status not in ({"available", "in-use"} if kind == "volume" else {"available"}):
            yield f"{kind} '{named}' has the status '{source.status}': volume '{volume.name}' cannot be a copy of it"
        if source.size_gib > volume.size_gib:
            yield (
                f"volume '{volume.name}' of {volume.size_gib} GiB cannot be a copy of {kind} '{named}', which has "
                f"{source.size_gib} GiB"
            )
