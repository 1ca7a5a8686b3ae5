"""The settings of releases: networks, nodes and volumes. The names of sizes have their unit, GiB or MiB."""

from collections.abc import Iterator
from enum import StrEnum
from uuid import UUID

from pydantic import Field

from model.field_types import (
    FlavorMib,
    Generation,
    HeapMib,
    Name,
    NodeName,
    Processors,
    ReleaseNetwork,
    Section,
    Several,
    VolumeGib,
)
from model.firewall import listeners, listens
from model.omero_config import OmeroWeb, ServerConfig, WebConfig
from model.role_description import Number
from model.roles import OMERO_ROLES, NamedRole, NodeRole, Role, SiteRole, node_address, role_facts
from model.spelling import instead


class AntiAffinity(StrEnum):
    """Whether Nova places the nodes of a group on different hosts: if possible, or strictly."""

    SOFT = "soft"
    HARD = "hard"


class Flavor(Section):
    """The processors and memory of a flavor of the cloud. The plan derives memory and worker numbers from it."""

    vcpus: Processors = Field(description="Virtual processors")
    memory_mib: FlavorMib = Field(description="Memory in MiB")


class VolumeSource(Section):
    """The source of a new volume: a snapshot or a volume of the cloud, by its id, and its size."""

    snapshot: UUID | None = Field(None, description="Id of a snapshot")
    volume: UUID | None = Field(None, description="Id of a volume")
    size_gib: VolumeGib = Field(description="Size of the source in GiB; the copy cannot be smaller")

    def problems(self) -> Iterator[str]:
        """Yield that not exactly one source is named."""
        if (self.snapshot is None) == (self.volume is None):
            yield "name either a snapshot or a volume"


class DataVolume(Section):
    """A data volume of a node: new, a copy, or existing. An existing one stays when the stack is destroyed."""

    size_gib: VolumeGib = Field(description="Size in GiB; may grow, never shrink")
    type: Name | None = Field(None, description="Volume type of the cloud; its default where absent")
    source: VolumeSource | None = Field(None, description="What it is a copy of")
    existing: UUID | None = Field(None, description="Id of a volume to use as it is")

    def problems(self) -> Iterator[str]:
        """Yield settings that contradict each other."""
        if self.existing and (self.source or self.type):
            yield "an existing volume is used as it is: it takes neither source nor type"
        if self.source and self.size_gib < self.source.size_gib:
            yield f"sizeGib {self.size_gib} is smaller than its source, which has {self.source.size_gib}"


class Machine(Section):
    """The settings of any server: flavor, image, zone and so on."""

    flavor: Name = Field(description="Flavor of the cloud; one of the stack's `flavors`")
    image: Name | None = Field(None, description="Image of the cloud, in place of the stack's for this role")
    zone: Name | None = Field(None, description="Availability zone")
    boot_volume_gib: VolumeGib | None = Field(
        None,
        description="Boot from a volume of this size, not the flavor's disk; an existing server needs a new `rebuild`",
    )


class NodeGroup(Machine):
    """One node, or `count` equal ones."""

    roles: tuple[NamedRole, ...] = Field(
        description="Its roles, of the program or of `siteRoles`; the first one decides its address"
    )
    count: Several | None = Field(None, description="How many alike, named -1, -2, ...; one without number if absent")
    anti_affinity: AntiAffinity = Field(AntiAffinity.SOFT, description="On different hosts where possible, or always")
    heap_mib: HeapMib | None = Field(None, description="OMERO.server's Java heap in MiB; derived where absent")
    web_workers: Several | None = Field(None, description="OMERO.web's processes; derived where absent")
    volumes: dict[str, DataVolume] = Field(
        {}, description="By their names in role.yaml: db, data, nginxcache, upload, a site's"
    )
    omero: ServerConfig = Field(ServerConfig(), description="Its OMERO.server's configuration, over the release's")
    web: WebConfig = Field(WebConfig(), description="Its OMERO.web's configuration, over the release's")

    def problems(self) -> Iterator[str]:
        """Yield roles, volumes and ports that contradict each other, and settings without effect on the node."""
        yield from self._volumes_fit_roles()
        yield from self._ports_are_free()
        yield from self._has_what_roles_use()
        yield from self._configures_what_it_runs()

    def _volumes_fit_roles(self) -> Iterator[str]:
        if not self.roles:
            yield f"roles: name at least one of {', '.join(Role)}"
            return
        if len(set(self.roles)) != len(self.roles):
            yield f"roles: {', '.join(self.roles)} names one twice"
        purposes = {kept.name: kept for role in self.roles if (kept := role_facts(role).volume)}
        for name, volume in self.volumes.items():
            if name not in purposes:
                known = ", ".join(sorted(purposes)) or "none"
                yield f"volume '{name}' belongs to no role of this node; its roles use: {known}"
            if volume.existing and (self.count or 1) > 1:
                yield f"volume '{name}' exists once; {self.count} nodes cannot share it"
        for name, purpose in purposes.items():
            if purpose.required and name not in self.volumes:
                yield f"needs a volume '{name}' (mounted at {purpose.mount})"

    def _has_what_roles_use(self) -> Iterator[str]:
        for role in self.roles:
            beside = role.description.beside if isinstance(role, SiteRole) else ()
            if beside and not set(beside).intersection(self.roles):
                yield f"roles: {role} uses what {' or '.join(beside)} has: put it on a node with that role"

    def _configures_what_it_runs(self) -> Iterator[str]:
        if self.omero.config and not OMERO_ROLES.intersection(self.roles):
            yield "omero.config: this node has no OMERO.server"
        if self.web.config and Role.WEB not in self.roles:
            yield "web.config: this node has no OMERO.web"
        if self.heap_mib is not None and not OMERO_ROLES.intersection(self.roles):
            yield "heapMib: this node has no OMERO.server"
        if self.web_workers is not None and Role.WEB not in self.roles:
            yield "webWorkers: this node has no OMERO.web"
        if self.anti_affinity == AntiAffinity.HARD and self.count is None:
            yield "antiAffinity: one node has none to be apart from; set count"

    def _ports_are_free(self) -> Iterator[str]:
        ports = listens(self.roles)
        contended = sorted({port for port in ports if ports.count(port) > 1})
        if contended:
            rivals = " and ".join(role for role in self.roles if set(contended).intersection(listeners(role)))
            yield f"{rivals} both listen on {', '.join(map(str, contended))}: they cannot be on one node"


class ScopeSettings(Section):
    """The network of a scope: of a release, or of the bastion."""

    cidr: ReleaseNetwork = Field(description="Its addresses, a /24 or larger")
    existing_network: Name | None = Field(
        None, description="Network of the cloud to use; it must have a subnet with this cidr"
    )


class Release(ScopeSettings):
    """A complete set of nodes in a subnet of its own."""

    nodes: dict[NodeName, NodeGroup] = Field(description="Its nodes, by name")
    rebuild: dict[str, Generation] = Field(
        {}, description="By the name of a node, its rebuild number; changing it replaces the server"
    )
    frozen: bool = Field(False, description="Updates do not change its machines: no new bootstrap or configuration")
    omero: ServerConfig = Field(ServerConfig(), description="Its OMERO.servers' configuration, over the stack's")
    web: OmeroWeb = Field(OmeroWeb(), description="OMERO.web of this release, over the stack's")

    def roles(self) -> frozenset[NodeRole]:
        """Return the roles of its nodes."""
        return frozenset(role for group in self.nodes.values() for role in group.roles)

    def aliases(self) -> list[str]:
        """Return the names of its nodes."""
        return [
            alias
            for name, group in self.nodes.items()
            for alias in ([f"{name}-{n}" for n in range(1, group.count + 1)] if group.count else [name])
        ]

    def problems(self) -> Iterator[str]:
        """Yield missing or too many roles, equal addresses, and rebuilds of unknown nodes."""
        yield from self._addresses_are_enough()
        yield from self._has_roles_it_needs()
        yield from self._rebuilds_existing_nodes()

    def _addresses_are_enough(self) -> Iterator[str]:
        first_with_role: dict[NodeRole, str] = {}
        for name, group in self.nodes.items():
            first = group.roles[0]
            if first in first_with_role:
                yield (
                    f"nodes '{first_with_role[first]}' and '{name}' have the same first role {first}, which decides "
                    "addresses: use count, or put another of their roles first"
                )
            first_with_role[first] = name
            try:
                node_address(self.cidr, first, group.count or 1)
            except ValueError as error:
                yield str(error)

    def _has_roles_it_needs(self) -> Iterator[str]:
        for name, group in self.nodes.items():
            for role in group.roles:
                if role_facts(role).per_release == Number.NONE:
                    yield f"node '{name}': the {role} is the stack's, not a release's; set idr:{role}"
        roles = [role for group in self.nodes.values() for role in group.roles for _ in range(group.count or 1)]
        for role in dict.fromkeys((*Role, *roles)):
            yield from _wrong_number(role, roles.count(role))
        if not OMERO_ROLES.intersection(roles):
            yield "needs a node with the role omero-readwrite or omero-readonly"

    def _rebuilds_existing_nodes(self) -> Iterator[str]:
        for alias in self.rebuild:
            if alias not in self.aliases():
                yield f"rebuild names '{alias}', which is not a node; {instead(alias, self.aliases())}"


def _wrong_number(role: NodeRole, nodes: int) -> Iterator[str]:
    allowed = role_facts(role).per_release
    if allowed == Number.ONE and nodes != 1:
        yield f"needs exactly one node with the role {role}, has {nodes}"
    elif allowed == Number.AT_MOST_ONE and nodes > 1:
        yield f"can have one node with the role {role}, has {nodes}"
    elif allowed == Number.AT_LEAST_ONE and not nodes:
        yield f"needs a node with the role {role}"


class Bastion(ScopeSettings, Machine):
    """The machine that operators log in through; all releases of the stack share it."""

    rebuild: Generation | None = Field(None, description="Rebuild number; changing it replaces the server")
