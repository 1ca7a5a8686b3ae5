"""The contexts of templates: the variables of each role's templates, with their types.

Every template has the variables of `Common`. Templates of a role in `CONTEXTS` also have those of its context, and
templates of a site's own roles those of `Site`. tests/unit/cloudinit/test_contexts.py refuses other variables.
Contexts with passwords have no repr.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Any, Literal, Protocol, Self

from cloudinit import frontend, omero
from cloudinit.source import Source
from model import firewall, matrix, people, sizing
from model.certificates import Certificate
from model.limits import DatabaseLimits
from model.locations import server_name
from model.matrix import HostRules
from model.omero_nodes import service_name
from model.people import Person, PersonRole
from model.plan import Node, Plan, Scope
from model.proxies import Proxies
from model.roles import OMERO_ROLES, Role, SiteRole
from model.secrets import Secrets, passwords_of_site


class Context(Protocol):
    """The typed values that the templates of a role print."""

    @classmethod
    def of(cls, source: Source) -> Self:
        """Return the values for a node."""


@dataclass(frozen=True)
class Common:
    """The variables of every template.

    `operators` and `deploy_keys` are public keys of the account `idr`; the latter are accepted from the networks
    `deployed_from` alone, or from anywhere where that is empty. `people` have accounts on the node.
    """

    node: Node
    peers: tuple[Node, ...]
    volume_ids: Mapping[str, str]
    rules: HostRules
    node_exporter_port: int
    time_servers: tuple[str, ...]
    proxies: Proxies
    proxies_mode: str
    operators: tuple[str, ...]
    people: tuple[Person, ...]
    tcp_forwarding: Literal["local", "no"]
    deploy_keys: tuple[str, ...]
    deployed_from: tuple[str, ...]
    authorities: str
    certificate: Certificate

    @classmethod
    def of(cls, source: Source) -> Self:
        """Return the values for a node."""
        node, plan, secrets = source.node, source.plan, source.secrets
        is_bastion = node == plan.bastion_node
        return cls(
            node=node,
            peers=(plan.bastion_node, *(() if is_bastion else source.release.nodes)),
            volume_ids=source.volume_ids,
            rules=matrix.host_rules(plan, node),
            node_exporter_port=firewall.NODE_EXPORTER_PORT,
            time_servers=plan.settings.time_servers,
            proxies=plan.settings.proxies,
            # Every role needs apt's lists of packages.
            proxies_mode="0600" if plan.settings.proxies.have_password() else "0644",
            operators=plan.operators,
            people=people.on_node(plan.people, node.roles),
            # Only the bastion forwards connections.
            tcp_forwarding="local" if is_bastion else "no",
            deploy_keys=tuple(key.public for key in secrets.deploy_keys()),
            deployed_from=_deployed_from(node, plan),
            authorities=secrets.authorities,
            certificate=secrets.certificate(node.name, _hosts(node, plan)),
        )


@dataclass(frozen=True)
class Bastion:
    """sshd of the bastion: the ports to which it forwards connections, and the accounts for only that."""

    passed_ports: tuple[int, ...]
    jump_users: tuple[str, ...]

    @classmethod
    def of(cls, source: Source) -> Self:
        """Return the values for the bastion."""
        accounts = people.on_node(source.plan.people, source.node.roles)
        return cls(
            passed_ports=matrix.bastion_ports(source.plan),
            jump_users=(people.JUMP_USER, *(person.name for person in accounts if person.role == PersonRole.JUMP)),
        )


@dataclass(frozen=True, repr=False)
class Database:
    """PostgreSQL: its clients, and the limits that depend on other nodes (`node.sizes` has the others)."""

    omero_servers: tuple[Node, ...]
    pool_size: int
    reserved_connections: int
    limits: DatabaseLimits
    omero_password: str
    readonly_password: str

    @classmethod
    def of(cls, source: Source) -> Self:
        """Return the values for a node."""
        return cls(
            omero_servers=source.release.with_role(*OMERO_ROLES),
            pool_size=source.plan.settings.omero.pool_size,
            reserved_connections=sizing.RESERVED_CONNECTIONS,
            limits=source.limits(DatabaseLimits),
            omero_password=source.password("database/omero"),
            readonly_password=source.password("database/omeroreadonly"),
        )


@dataclass(frozen=True, repr=False)
class Redis:
    """Redis: its passwords. While the stack secret is renewed, `accepted_passwords` has the former one too."""

    password: str
    accepted_passwords: tuple[str, ...]
    operator_password: str

    @classmethod
    def of(cls, source: Source) -> Self:
        """Return the values for a node."""
        return cls(
            password=source.password("redis"),
            accepted_passwords=source.secrets.accepted_passwords(f"{source.release.name}/redis"),
            operator_password=source.password("redis/operator"),
        )


@dataclass(frozen=True)
class Management:
    """The pre-warm: the release's own proxy, live or not, and the public host name for its requests."""

    proxy_address: IPv4Address
    host_name: str

    @classmethod
    def of(cls, source: Source) -> Self:
        """Return the values for a node."""
        return cls(proxy_address=source.first(Role.PROXY).address, host_name=source.plan.host_name)


@dataclass(frozen=True)
class Upload:
    """SFTP for submitters, who connect to the public name."""

    upload_port: int
    host_name: str

    @classmethod
    def of(cls, source: Source) -> Self:
        """Return the values for a node."""
        return cls(upload_port=firewall.UPLOAD_PORT, host_name=source.plan.host_name)


@dataclass(frozen=True, repr=False)
class Site:
    """The variables of templates of a site's own roles: the whole plan (docs/site-roles.md).

    `memory_mib` is the part of the node's memory that each of its roles has. `passwords` has those of the release's
    site roles, as `about/admin`.
    """

    plan: Plan
    release: Scope
    secrets: Secrets
    memory_mib: Mapping[str, int]
    passwords: Mapping[str, str]

    @classmethod
    def of(cls, source: Source) -> Self:
        """Return the values for a node."""
        node = source.node
        return cls(
            plan=source.plan,
            release=source.release,
            secrets=source.secrets,
            memory_mib={str(role): sizing.share_mib(node.flavor, node.roles, role) for role in node.roles},
            passwords={name: source.password(name) for name in passwords_of_site(source.release)},
        )


CONTEXTS: Mapping[str, type[Context]] = {
    "bastion": Bastion,
    "database": Database,
    "local-storage": omero.LocalStorage,
    "management": Management,
    "nfs": omero.Mounts,
    "omero-database": omero.Accounts,
    "omero-demo": omero.Server,
    "omero-downloads": omero.Downloads,
    "omero-readwrite": omero.ReadWrite,
    "omero-server": omero.Server,
    "omero-web": omero.WebPackages,
    "proxy": frontend.Proxy,
    "redis": Redis,
    "s3": omero.Buckets,
    "upload": Upload,
    "web": frontend.Web,
}
"""The context of each role whose templates need more than `Common`."""


def context_of(role: str) -> type[Context] | None:
    """Return the context of a role's templates beside `Common`."""
    return Site if isinstance(role, SiteRole) else CONTEXTS.get(role)


def variables(role: str, common: Common, source: Source) -> dict[str, Any]:
    """Return the variables of a role's templates on a node."""
    context = context_of(role)
    return vars(common) | (vars(context.of(source)) if context else {})


def _deployed_from(node: Node, plan: Plan) -> tuple[str, ...]:
    """Return the networks from which the deployment connects to a node; empty: from anywhere."""
    if node == plan.bastion_node:
        return tuple(map(str, plan.settings.ssh_from))
    return (str(plan.bastion_node.address),)


def _hosts(node: Node, plan: Plan) -> tuple[str, ...]:
    names = [node.name, node.alias, str(node.address)]
    if OMERO_ROLES.intersection(node.roles):
        names.append(service_name(plan.scope_of(node)))
    names += [server_name(role, plan.scope_of(node)) for role in node.roles if isinstance(role, SiteRole)]
    return tuple(names)
