"""The stack file as typed settings. `model.reading` parses values into them and reports every mistake at once.

Keys are written in camelCase, as in Pulumi's own files.
"""

from collections.abc import Iterator
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, InstanceOf, SecretStr, WithJsonSchema

from model import (
    collisions,
    extra_flows,
    people,
    public_site,
    raw_storage,
    reach,
    redirects,
    served_apps,
    site_apps,
    site_roles,
    visitors,
)
from model.extra_flows import ExtraFlow
from model.field_types import (
    EachOnce,
    Generation,
    GroupName,
    MachineAddress,
    MachineNetwork,
    Name,
    PublicPassword,
    ReleaseName,
    RemoteHost,
    Section,
    without_default,
)
from model.firewall import Flow
from model.floating_ips import FloatingIps
from model.hosts import is_dotted, is_public
from model.nfs import NfsMount
from model.object_stores import S3Mount
from model.omero import Omero
from model.omero_config import ServerConfig, WebConfig
from model.people import Operator
from model.proxies import Proxies
from model.public_certificate import Acme, PublicCertificate
from model.public_site import PublicSite
from model.raw_storage import StorageNetwork
from model.redirects import Redirect
from model.release_settings import Bastion, Flavor, NodeGroup, Release, ScopeSettings
from model.role_description import Distribution, Feature
from model.roles import NodeRole, Role, SiteRole
from model.site_apps import StackWeb
from model.visitors import Visitors
from model.web_apps import App

NAME_SERVERS_OF_A_SUBNET = 5
"""Neutron's default limit of name servers of a subnet (max_dns_nameservers)."""


class Settings(Section):
    """All settings of a stack file, under `idr:`."""

    stack_secret: SecretStr | None = Field(None, description="What all passwords and keys are derived from; a secret")
    previous_stack_secret: SecretStr | None = Field(
        None, description="The former stack secret, for the one update that replaces it; a secret"
    )
    operators: Annotated[tuple[Operator, ...], EachOnce] = Field(
        (), description="Who may log in: people by name and role, or public ssh keys, which open the account `idr`"
    )
    image: Name | None = Field(None, description="The cloud's Debian 12 image")
    omero_image: Name | None = Field(None, description="The cloud's Ubuntu 24.04 image, for the official OMERO")
    external_network: Name | None = Field(None, description="The external network of the floating IPs")
    router: Name | None = Field(None, description="A router of the cloud to use instead of a new one")
    visitors: Visitors = Field(
        Visitors.PUBLIC,
        description="`public`: everybody can read, nobody write, as in the IDR; `login`: users log in, and may write",
    )
    public_password: PublicPassword = Field(
        "public", description="Password of OMERO's user `public`; it is published, as in the IDR"
    )
    ssh_from: Annotated[tuple[MachineNetwork, ...], EachOnce] = Field(
        (), description="Networks of operators, and of where `pulumi up` runs; empty: ssh from anywhere"
    )
    omero_from: Annotated[tuple[MachineNetwork, ...], EachOnce] = Field(
        (), description="Networks of OMERO clients (4064, and a port for each server); empty: from anywhere"
    )
    floating_ips: FloatingIps = Field(FloatingIps(), description="Floating IPs that the project already has")
    keypair: Name | None = Field(None, description="Key pair in Nova for new servers, if the cloud requires one")
    dns_servers: Annotated[tuple[MachineAddress, ...], EachOnce] = Field(
        (), max_length=NAME_SERVERS_OF_A_SUBNET, description="Name servers; the cloud's where absent"
    )
    time_servers: Annotated[tuple[RemoteHost, ...], EachOnce] = Field(
        (), description="NTP servers; the distribution's where absent"
    )
    proxies: Proxies = Field(Proxies(), description="Proxies of a site without direct internet access")
    host_name: RemoteHost | None = Field(None, description="The name that visitors use")
    certificate: PublicCertificate | None = Field(None, description="Visitors' certificate; its key is encrypted")
    acme: Acme | None = Field(None, description="The ACME authority that signs the certificate instead")
    flavors: dict[Name, Flavor] = Field(description="Processors and memory of each flavor that is used")
    bastion: Bastion = Field(description="The server through which operators log in")
    omero: Omero = Field(description="OMERO.server's distribution")
    web: StackWeb = Field(StackWeb(), description="OMERO.web")
    storage_network: StorageNetwork | None = Field(None, description="The network of OMERO nodes and storage servers")
    storage_group: GroupName = Field(
        "idr-storage-hosts",
        description="Ansible group of the OMERO nodes, as in ebi-nfs; also <release>-ebi-nfs",
    )
    storage: tuple[raw_storage.Entry, ...] = Field((), description="Raw images: what OMERO nodes have, by kind")
    nfs_mounts: tuple[NfsMount, ...] = Field((), description="The former name of entries of `storage`, kind nfs")
    s3_mounts: tuple[S3Mount, ...] = Field((), description="The former name of entries of `storage`, kind s3")
    releases: dict[ReleaseName, Release] = Field(min_length=1, description="The releases, by name")
    flows: tuple[ExtraFlow, ...] = Field((), description="Flows beside those of the matrix, for services of your own")
    redirects: tuple[Redirect, ...] = Field((), description="Addresses of the site's own that lead elsewhere")
    site: PublicSite = Field(PublicSite(), description="What a site adds to OMERO.web's public addresses")
    site_roles: Annotated[tuple[InstanceOf[SiteRole], ...], WithJsonSchema({"type": "string"})] = Field(
        (),
        description="A folder beside the stack file with roles of the site's own, as in site/ (docs/site-roles.md)",
        json_schema_extra=without_default,
    )
    live: ReleaseName = Field(description="The release that the public address leads to")
    rotations: dict[str, Generation] = Field({}, description="Name of a secret to its number; a higher one renews it")
    protect_data: bool = Field(True, description="Refuse to delete data volumes and shares")
    configure: bool = Field(True, description="false: only declare the cloud's objects; another tool configures them")

    def problems(self) -> Iterator[str]:
        """Yield contradictions between sections."""
        yield from self._names_existing()
        yield from collisions.names(self.releases, self.storage_group, map(site_roles.kind, self.site_roles))
        storage_cidr = self.storage_network.cidr if self.storage_network else None
        yield from collisions.networks(self._scopes(), storage_cidr, [*self._outside_hosts()])
        yield from collisions.machines(self.releases, self._outside_hosts())
        yield from collisions.network_names(
            self._scopes(), self.external_network, self.storage_network.name if self.storage_network else None
        )
        yield from self._files_come_from_somewhere()
        volumes = [v.existing for _, group in self.groups() for v in group.volumes.values() if v.existing]
        yield from collisions.volumes([*volumes, *raw_storage.existing(self.raw_images())])
        of_site = [kept.mount for role in self.site_roles if (kept := role.description.node.volume)]
        yield from raw_storage.problems(self.storage_entries(), self.releases, of_site)
        yield from self._certificate_is_for_the_name()
        yield from extra_flows.problems(self.flows, self._roles(), self.site_flows(), configures=self.configure)
        first_pages = visitors.first_pages(self.visitors, map(self.apps_of, self.releases))
        yield from redirects.problems(self.redirects, self.host_name, first_pages)
        yield from public_site.nested(self._site_paths())
        yield from reach.shares(raw_storage.servers(self.storage_entries()), storage_cidr)
        yield from reach.downloads(self._fetched(), self.flows)
        for where, section in self._omero_configs():
            yield from reach.services(where, section.config, self.flows)
        yield from self._servers_have_these_keys()
        yield from served_apps.problems(self.web, self.releases, self.omero.distribution)
        yield from people.problems(self.operators)
        roles = {name: release.roles() for name, release in self.releases.items()}
        has_public_password = "public_password" in self.model_fields_set
        yield from visitors.problems(self.visitors, roles, has_public_password=has_public_password)

    def storage_entries(self) -> tuple[raw_storage.StorageEntry, ...]:
        """Return every entry of raw storage with its setting, those of former settings first."""
        return raw_storage.storage_entries(
            {"nfsMounts": self.nfs_mounts, "s3Mounts": self.s3_mounts, "storage": self.storage}
        )

    def raw_images(self) -> tuple[raw_storage.Entry, ...]:
        """Return every entry of raw storage."""
        return tuple(one.entry for one in self.storage_entries())

    def _scopes(self) -> list[tuple[str, ScopeSettings]]:
        return [("bastion", self.bastion), *((f"releases.{name}", release) for name, release in self.releases.items())]

    def _outside_hosts(self) -> Iterator[tuple[str, str]]:
        """Yield the hosts and networks outside the stack, each with its setting."""
        yield from (("sshFrom", str(network)) for network in self.ssh_from)
        yield from (("omeroFrom", str(network)) for network in self.omero_from)
        yield from (("dnsServers", str(address)) for address in self.dns_servers)
        yield from ((f"floatingIps.{at}", str(ip)) for at, ip in self.floating_ips if ip)
        yield from (("timeServers", host) for host in self.time_servers)
        yield from raw_storage.hosts(self.storage_entries())
        yield from (("proxies", urlsplit(url).hostname or "") for url in self.proxies.urls())

    def _names_existing(self) -> Iterator[str]:
        if self.live not in self.releases:
            yield f"live names '{self.live}', which is not one of the releases: {', '.join(self.releases)}"
        used = [(where, group.flavor) for where, group in self.groups()]
        for where, flavor in [("bastion", self.bastion.flavor), *used]:
            if flavor not in self.flavors:
                yield f"{where}.flavor '{flavor}' is not in idr:flavors, which has: {', '.join(self.flavors)}"

    def _files_come_from_somewhere(self) -> Iterator[str]:
        if self.omero.distribution != Distribution.OFFICIAL:
            return
        for name, release in self.releases.items():
            roles = release.roles()
            if Role.OMERO_READONLY in roles and Role.OMERO_READWRITE not in roles:
                yield f"releases.{name}: read-only servers need a node with the role omero-readwrite for their files"

    def _fetched(self) -> dict[str, str]:
        """Return the URLs that nodes fetch without a proxy, by setting."""
        if self.proxies.http:
            return {}
        official = self.omero.distribution == Distribution.OFFICIAL
        addresses = {f"omero.{name}.url": part.url for name, part in self.omero.parts().items() if part and official}
        addresses |= raw_storage.endpoints(self.storage_entries())
        pages = {"site.pages.url": self.site.pages.url} if self.site.pages else {}
        return addresses | pages | ({"acme.directory": self.acme.directory} if self.acme else {})

    def _certificate_is_for_the_name(self) -> Iterator[str]:
        if self.certificate and self.acme:
            yield "certificate and acme both say what visitors see: remove one"
        if (self.certificate or self.acme) and self.host_name is None:
            yield "hostName: a certificate is for a name: say which visitors use"
        elif self.acme and self.host_name and is_dotted(self.host_name):
            yield f"acme: an authority signs names, and hostName is the address {self.host_name}: remove acme"
        elif self.acme and self.acme.is_public and self.host_name and not is_public(self.host_name):
            yield f"acme: this authority signs names of public DNS, not {self.host_name}: name another directory"
        elif self.certificate and self.host_name and not self.certificate.names(self.host_name):
            yield f"certificate: is not for the hostName {self.host_name}"

    def _servers_have_these_keys(self) -> Iterator[str]:
        for where, section in self._omero_configs():
            if isinstance(section, ServerConfig):
                if section.config and self.omero.distribution == Distribution.DEMO:
                    yield f"{where}.config: the demo's image server has no configuration of OMERO's"
                yield from (f"{where}.{text}" for text in section.unknown(self.omero.other_keys))

    def _omero_configs(self) -> Iterator[tuple[str, ServerConfig | WebConfig]]:
        """Yield every configuration of OMERO with its key."""
        scopes: list[tuple[str, Settings | Release | NodeGroup]] = [("", self)]
        scopes += ((f"releases.{name}.", release) for name, release in self.releases.items())
        scopes += ((f"{where}.", group) for where, group in self.groups())
        for prefix, scope in scopes:
            yield from ((f"{prefix}omero", scope.omero), (f"{prefix}web", scope.web))

    def apps_of(self, release: str) -> tuple[App, ...]:
        """Return the applications that a release serves beside OMERO.web."""
        return served_apps.of(self.web, self.releases[release])

    def groups(self) -> Iterator[tuple[str, NodeGroup]]:
        """Yield every group of nodes with its key."""
        for release, settings in self.releases.items():
            for name, group in settings.nodes.items():
                yield f"releases.{release}.nodes.{name}", group

    def _roles(self) -> frozenset[NodeRole]:
        return frozenset({Role.BASTION, *(role for _, group in self.groups() for role in group.roles)})

    def features(self) -> frozenset[Feature]:
        """Return the features of the stack file for which roles need more packages, or nodes more roles."""
        raw, is_official = set(map(type, self.raw_images())), self.omero.distribution == Distribution.OFFICIAL
        used = {
            Feature.ACME: self.acme is not None,
            Feature.S3: S3Mount in raw,
            Feature.LOCAL_STORAGE: is_official and not raw.isdisjoint(raw_storage.LOCAL),
            Feature.PAGES: self.site.pages is not None,
        }
        return frozenset(feature for feature, is_used in used.items() if is_used)

    def site_flows(self) -> tuple[Flow, ...]:
        """Return the flows of the site's own roles that nodes have."""
        used = [role for role in self.site_roles if role in self._roles()]
        return site_roles.flows(used, self.site_roles)

    def _site_paths(self) -> list[tuple[str, str]]:
        roles = [(location.path, role.path) for role in self.site_roles for location in role.description.locations]
        apps = [path for app in self.web.own() for path in site_apps.paths(app)]
        return [*self.site.paths(), *roles, *apps]

    def missing(self) -> tuple[str, ...]:
        """Return required keys that are not set yet. A preview works without them, an `up` does not."""
        official = self.omero.distribution == Distribution.OFFICIAL
        required: dict[str, object] = {
            "stackSecret": self.stack_secret,
            "image": self.image,
            **({"omeroImage": self.omero_image} if official else {}),
            "externalNetwork": self.external_network,
        }
        empty = [key for key, value in required.items() if value is None]
        if official:
            empty += self.omero.missing()
        if official and not self.storage_network and raw_storage.by_name(self.storage_entries()):
            empty.append("storageNetwork")
        if self.site.pages and self.site.pages.sha256 is None:
            empty.append("site.pages.sha256")
        return tuple(empty)
