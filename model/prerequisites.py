"""Checks that the cloud has what a plan names: it exists, it is unique, and it can be used for this."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from model import networks, shares, volumes
from model.capacity import Difference
from model.cloud_state import CloudFlavor, CloudState, Image
from model.image_systems import StatedSystem, by_name
from model.plan import Node, Plan
from model.planning import PLACEHOLDER
from model.systems import UBUNTU, System
from model.wording import is_missing, several


def absent(plan: Plan, state: CloudState) -> list[str]:
    """Return the objects that the cloud lacks, or that cannot be used, a line each."""
    difference = Difference(plan, state)
    checks: tuple[Iterator[str], ...] = (
        _images(state, difference.created),
        _systems(plan, state, difference.created),
        _flavors(state, difference.sized),
        _memory(plan, difference),
        networks.external_network(plan, state),
        networks.router(plan, state),
        networks.kept_router(plan, state),
        networks.existing_networks(plan, state),
        networks.storage_network(plan, state, difference.missing),
        networks.addresses(plan, state, difference.missing, difference.kept),
        _keypair(plan, state, difference.created),
        _floating_ips(plan, state),
        _zones(state, difference.created),
        _volumes(plan, state, difference),
        volumes.existing(plan, state),
        volumes.shrunk(plan, state),
        volumes.sources(state, difference.volumes),
        shares.absent(plan, state),
        _members(plan, state),
    )
    return list(dict.fromkeys(line for check in checks for line in check))


def notices(plan: Plan, state: CloudState) -> list[str]:
    """Return warnings about problems that an update may meet later, a line each."""
    difference = Difference(plan, state)
    checks: tuple[Iterator[str], ...] = (
        _retired(state, difference),
        _other_releases(plan, state, difference.created),
        networks.old_gateways(plan, state, difference.missing),
        _volumes_elsewhere(plan, state),
    )
    return list(dict.fromkeys(line for check in checks for line in check))


# -- images and flavors -----------------------------------------------------------------------------------------------
def _images(state: CloudState, nodes: Sequence[Node]) -> Iterator[str]:
    if state.images is None:
        return
    for node in nodes:
        if node.image == PLACEHOLDER:
            continue
        usable = [image for image in state.images if image.name == node.image and _is_listed(image)]
        if not usable:
            yield _no_image(node.image, state)
        elif len(usable) > 1 and not node.boot_volume_gib:
            yield several("image", node.image, len(usable))
        else:
            # For a boot volume the provider uses the newest.
            yield from _image_fits(max(usable, key=lambda image: image.created), node, state)


def _is_listed(image: Image) -> bool:
    """Return whether the provider's search by name returns it."""
    return not image.hidden and image.visibility != "community"


def _no_image(name: str, state: CloudState) -> str:
    other = next((image for image in state.images or () if image.name == name), None)
    if other:
        why = "is hidden" if other.hidden else "is a community image"
        return f"image '{name}' {why}: it is not found by its name; make it visible to this project, or name another"
    return is_missing("image", name, state.image_names)


def _image_fits(image: Image, node: Node, state: CloudState) -> Iterator[str]:
    if image.status != "active":
        yield f"image '{image.name}' is {image.status}: servers start from an active image only"
        return
    flavor = _flavor(node, state)
    disk = node.boot_volume_gib or (flavor.disk_gib if flavor else 0)
    where = f"bootVolumeGib {disk}" if node.boot_volume_gib else f"the {disk} GiB disk of flavor '{node.flavor_name}'"
    needed = max(image.min_disk_gib, image.size_gib)
    if disk and needed > disk:
        yield f"image '{image.name}' needs a disk of {needed} GiB: {where} is too small"
    if flavor and image.min_ram_mib > flavor.memory_mib:
        yield f"image '{image.name}' needs {image.min_ram_mib} MiB: flavor '{flavor.name}' has {flavor.memory_mib}"


def _systems(plan: Plan, state: CloudState, nodes: Sequence[Node]) -> Iterator[str]:
    """Yield images with an operating system that a node's roles do not support."""
    for node, image, stated in _contradictions(plan, state, nodes):
        if _is_certain(image, stated, node.system):
            yield (
                f"image '{image.name}' is {stated}, {node.name} needs {node.system.name}: name another image; should "
                "this be wrong, set the image's properties os_distro and os_version"
            )


def _other_releases(plan: Plan, state: CloudState, nodes: Sequence[Node]) -> Iterator[str]:
    for node, image, stated in _contradictions(plan, state, nodes):
        if not _is_certain(image, stated, node.system):
            yield f"image '{image.name}' is {stated} by its name, the roles support {node.system.name}"


def _contradictions(plan: Plan, state: CloudState, nodes: Sequence[Node]) -> Iterator[tuple[Node, Image, StatedSystem]]:
    for node in nodes if plan.settings.configure else ():
        for image in state.images or ():
            stated = image.system or by_name(image.name)
            if image.name == node.image and stated and stated.contradicts(node.system):
                yield node, image, stated


def _is_certain(image: Image, stated: StatedSystem, system: System) -> bool:
    """Return whether an image is refused, not only reported: it certainly has another system.

    An image's name seldom gives Debian's version. OMERO's Ice is built for one version of Ubuntu.
    """
    return bool(image.system) or stated.is_another_distribution(system) or system == UBUNTU


def _flavor(node: Node, state: CloudState) -> CloudFlavor | None:
    return next((flavor for flavor in state.flavors or () if flavor.name == node.flavor_name), None)


def _flavors(state: CloudState, nodes: Sequence[Node]) -> Iterator[str]:
    if state.flavors is None:
        return
    for node in sorted(nodes, key=lambda node: node.flavor_name):
        named = [flavor for flavor in state.flavors if flavor.name == node.flavor_name]
        if not named:
            yield is_missing("flavor", node.flavor_name, (flavor.name for flavor in state.flavors))
        elif len(named) > 1:
            yield several("flavor", node.flavor_name, len(named))
        else:
            yield from _flavor_fits(named[0], node)


def _flavor_fits(flavor: CloudFlavor, node: Node) -> Iterator[str]:
    described = node.flavor
    if flavor.memory_mib < described.memory_mib or flavor.vcpus < described.vcpus:
        yield (
            f"flavor '{flavor.name}' has {flavor.vcpus} vCPU and {flavor.memory_mib} MiB, "
            f"the settings say {described.vcpus} and {described.memory_mib}"
        )
    if not flavor.disk_gib and not node.boot_volume_gib:
        yield f"flavor '{flavor.name}' has no disk: set bootVolumeGib for {node.name}, or take another flavor"


def _memory(plan: Plan, difference: Difference) -> Iterator[str]:
    """Yield servers that are kept, and would be configured for memory that they do not have."""
    frozen = {scope.name for scope in plan.scopes if scope.frozen}
    for node in difference.kept if plan.settings.configure else ():
        server = difference.server(node)
        if server is None or node.scope in frozen or node in difference.sized or not server.memory_mib:
            continue
        if server.memory_mib < node.flavor.memory_mib:
            yield (
                f"flavor '{node.flavor_name}' has {server.memory_mib} MiB in this cloud, idr:flavors says "
                f"{node.flavor.memory_mib}: services that run would be given more than there is"
            )


def _retired(state: CloudState, difference: Difference) -> Iterator[str]:
    """Yield missing images and flavors of servers that are kept, which could not be created again."""
    unsized = [node for node in difference.kept if node not in difference.sized]
    for line in [*_images(state, difference.kept), *_flavors(state, unsized)]:
        yield f"{line}; no server is created from it now, but none could be replaced"


# -- the rest ---------------------------------------------------------------------------------------------------------
def _keypair(plan: Plan, state: CloudState, created: Sequence[Node]) -> Iterator[str]:
    if plan.settings.keypair and state.keypairs is not None and plan.settings.keypair not in state.keypairs and created:
        yield is_missing("key pair", plan.settings.keypair, state.keypairs)


def _floating_ips(plan: Plan, state: CloudState) -> Iterator[str]:
    if state.floating_ips is None:
        return
    external = {network.id for network in state.networks or () if network.name == plan.external_network}
    own_ports = {port.id for port in state.ports or () if port.is_own}
    for address in plan.settings.floating_ips.addresses():
        known = state.floating_ip(address)
        if known is None:
            yield is_missing("floating IP", str(address), (other.address for other in state.floating_ips))
        elif known.port and state.ports is not None and known.port not in own_ports:
            yield f"floating IP '{address}' leads to port {known.port}, which is not this stack's: set it free first"
        elif external and known.network and known.network not in external and plan.settings.router is None:
            yield f"floating IP '{address}' is not of the external network '{plan.external_network}'"


def _zones(state: CloudState, created: Sequence[Node]) -> Iterator[str]:
    if state.zones is None:
        return
    for zone in sorted({node.zone for node in created if node.zone}):
        if zone not in state.zones:
            yield is_missing("availability zone", zone, state.zones)
        elif not state.zones[zone]:
            yield f"availability zone '{zone}' is not available now"


def _volumes(plan: Plan, state: CloudState, difference: Difference) -> Iterator[str]:
    types = sorted({volume.type for volume in (*difference.volumes, *difference.retyped) if volume.type})
    if state.volume_types is not None:
        yield from (is_missing("volume type", t, state.volume_types) for t in types if t not in state.volume_types)
    named = [str(v.existing) for node in plan.nodes for v in node.volumes if v.existing]
    named += [str(v.source.volume) for v in difference.volumes if v.source and v.source.volume]
    if state.volumes is not None:
        known_ids = {volume.id for volume in state.volumes}
        yield from (is_missing("volume", volume, known_ids) for volume in named if volume not in known_ids)
    snapshots = [str(v.source.snapshot) for v in difference.volumes if v.source and v.source.snapshot]
    if state.snapshots is not None:
        known_ids = {snapshot.id for snapshot in state.snapshots}
        yield from (is_missing("snapshot", snapshot, known_ids) for snapshot in snapshots if snapshot not in known_ids)
    if state.volume_gib is not None and state.volume_gib >= 0:
        for volume in (*difference.volumes, *difference.growth):
            if volume.size_gib > state.volume_gib:
                yield (
                    f"volume '{volume.name}' of {volume.size_gib} GiB: one volume of this project may have "
                    f"{state.volume_gib}"
                )


def _members(plan: Plan, state: CloudState) -> Iterator[str]:
    if state.members is None or state.members < 0:
        return
    grouped = sorted(node.server_group for node in plan.nodes if node.server_group)
    for name, members in groupby(grouped):
        if (number := len(list(members))) > state.members:
            yield f"server group '{name}' gets {number} nodes; a server group of this project takes {state.members}"


def _volumes_elsewhere(plan: Plan, state: CloudState) -> Iterator[str]:
    """Yield volumes that are in another zone than their node, or cannot be in the same zone."""
    zone_of = {volume.id: volume.zone for volume in state.volumes or ()}
    named = {volume.name: volume.zone for volume in state.volumes or () if volume.is_own}
    snapshots = {snapshot.id: zone_of.get(snapshot.volume) for snapshot in state.snapshots or ()}

    def zone_by_id(identifier: object) -> str | None:
        return zone_of.get(str(identifier), snapshots.get(str(identifier)))

    for node in plan.nodes:
        for volume in node.volumes if node.zone else ():
            source = volume.source and (volume.source.volume or volume.source.snapshot)
            zone = named.get(plan.cloud_name(volume.name)) or zone_by_id(volume.existing or source)
            if zone is None and state.volume_zones is not None and node.zone not in state.volume_zones:
                zone = "the default one: block storage does not know the node's"
            if zone and zone != node.zone:
                yield (
                    f"volume '{volume.name}' is in zone {zone}, {node.name} in '{node.zone}': it is attached only if "
                    "the cloud allows that across zones (cross_az_attach)"
                )
