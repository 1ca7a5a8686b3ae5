"""Derive the plan from the settings: every name, address, size and rule is decided here or in functions called here."""

import re
from dataclasses import replace

from model import firewall, matrix, tuning
from model.addressing import gateway, service_pool
from model.firewall import End
from model.hosts import LONGEST_LABEL
from model.limits import Limits
from model.omero_config import ServerConfig, WebConfig, merged
from model.people import Person
from model.plan import BASTION, Node, Plan, Scope, Subnet, Volume
from model.raw_storage import volumes_of
from model.release_settings import AntiAffinity, DataVolume, Machine, NodeGroup, Release, ScopeSettings
from model.role_description import Distribution
from model.roles import OMERO_ROLES, Role, node_address, role_facts
from model.settings import Settings
from model.sizing import sizes
from model.systems import UBUNTU, System, packages, system_of

PLACEHOLDER = "(to be set)"


def plan(settings: Settings, stack: str) -> Plan:
    """Derive the plan of a stack.

    The order of keys must not matter: the engine sorts them and `idr` does not, and both must render the same bytes.
    """
    base = Plan(
        stack=stack,
        # The plan is printed and compared, so it must not contain the secret that all others are derived from.
        settings=settings.model_copy(update={"stack_secret": None, "previous_stack_secret": None}),
        external_network=settings.external_network or PLACEHOLDER,
        host_name=settings.host_name or internal_name(stack),
        operators=tuple(one for one in settings.operators if isinstance(one, str)),
        people=tuple(one for one in settings.operators if isinstance(one, Person)),
        bastion=_scope(BASTION, settings.bastion, (_bastion_node(settings),)),
        releases=tuple(
            _scope(name, release, _release_nodes(settings, name)) for name, release in sorted(settings.releases.items())
        ),
    )
    return completed(base)


def completed(plan: Plan) -> Plan:
    """Add to a plan what depends on several nodes: rules of the firewalls, and limits of services."""
    return replace(
        plan,
        bastion=_completed(plan, plan.bastion),
        releases=tuple(_completed(plan, release) for release in plan.releases),
    )


def internal_name(stack: str, *, node: str | None = None) -> str:
    """Return the full internal name of a stack or node, in which each part is valid in a host name.

    A stack may be called `My_Stack`. nginx compares host names in lower case.
    """
    names = [*([node] if node else []), *stack.split(".")]
    labels = (re.sub("[^a-z0-9-]", "-", name.lower())[:LONGEST_LABEL].strip("-") for name in names)
    return ".".join([*filter(None, labels), "idr.internal"])


def _bastion_node(settings: Settings) -> Node:
    machine = settings.bastion
    group = NodeGroup(roles=(Role.BASTION,), **{name: getattr(machine, name) for name in Machine.model_fields})
    return _node(settings, BASTION, machine, BASTION, group, None, {BASTION: machine.rebuild or 0})


def _release_nodes(settings: Settings, name: str) -> tuple[Node, ...]:
    release = settings.releases[name]
    nodes = (
        _node(settings, name, release, group_name, group, number, release.rebuild)
        for group_name, group in release.nodes.items()
        for number in (range(1, group.count + 1) if group.count else (None,))
    )
    return tuple(sorted(nodes, key=lambda node: node.address))


def _scope(name: str, settings: ScopeSettings, nodes: tuple[Node, ...]) -> Scope:
    first, last = service_pool(settings.cidr)
    return Scope(
        name=name,
        subnet=Subnet(name, settings.cidr, gateway(settings.cidr), (first, last), settings.existing_network),
        security_groups=tuple(sorted({group for node in nodes for group in node.security_groups})),
        rules=(),
        server_groups=_server_groups(name, settings),
        nodes=nodes,
        frozen=isinstance(settings, Release) and settings.frozen,
    )


def _completed(plan: Plan, scope: Scope) -> Scope:
    nodes = tuple(replace(node, limits=tuning.limits(plan, scope, node)) for node in scope.nodes)
    return replace(scope, nodes=nodes, rules=matrix.rules(plan, scope))


def _server_groups(scope: str, settings: ScopeSettings) -> dict[str, AntiAffinity]:
    if not isinstance(settings, Release):
        return {}
    return {f"{scope}-{name}": group.anti_affinity for name, group in settings.nodes.items() if group.count}


def _node(
    settings: Settings,
    scope: str,
    scope_settings: ScopeSettings,
    group_name: str,
    group: NodeGroup,
    number: int | None,
    rebuild: dict[str, int],
) -> Node:
    alias = group_name if number is None else f"{group_name}-{number}"
    name = alias if scope == BASTION else f"{scope}-{alias}"
    official = settings.omero.distribution == Distribution.OFFICIAL
    system = system_of(group.roles, official=official)
    ends: tuple[End, ...] = (*group.roles, firewall.EVERY_NODE)
    releases = [scope_settings] if isinstance(scope_settings, Release) else []
    on_storage = settings.storage_network and OMERO_ROLES.intersection(group.roles)
    return Node(
        name=name,
        alias=alias,
        scope=scope,
        group=group_name,
        number=number or 1,
        roles=group.roles,
        address=node_address(scope_settings.cidr, group.roles[0], number or 1),
        flavor_name=group.flavor,
        flavor=settings.flavors[group.flavor],
        system=system,
        image=group.image or _image(settings, system) or PLACEHOLDER,
        zone=group.zone,
        boot_volume_gib=group.boot_volume_gib,
        storage_network=settings.storage_network if on_storage else None,
        server_group=f"{scope}-{group_name}" if group.count else None,
        sizes=sizes(group, settings.flavors[group.flavor], settings.visitors),
        omero_config=_layers(OMERO_ROLES, group, settings.omero, *(one.omero for one in releases), group.omero),
        web_config=_layers(frozenset({Role.WEB}), group, settings.web, *(one.web for one in releases), group.web),
        packages=packages(system, group.roles, settings.omero.distribution, settings.features()),
        security_groups=tuple(sorted(firewall.group_name(scope, end) for end in ends)),
        listens=firewall.listens(group.roles, _unserved(settings, scope_settings)),
        volumes=(*_volumes(name, group), *_raw_volumes(name, scope, group, settings)),
        rebuild=rebuild.get(alias, 0),
        limits=Limits(),
    )


def _layers(roles: frozenset[Role], group: NodeGroup, *layers: ServerConfig | WebConfig) -> tuple[tuple[str, str], ...]:
    """Return OMERO's configuration of the stack, the release and the node group, for nodes with one of `roles`."""
    return merged(*(layer.config for layer in layers)) if roles.intersection(group.roles) else ()


def _unserved(settings: Settings, scope: ScopeSettings) -> frozenset[int]:
    """Return ports of the matrix on which no service of this scope listens.

    NFS is served only where a read-only server mounts it.
    """
    groups = scope.nodes.values() if isinstance(scope, Release) else ()
    ports = matrix.unserved(settings, [group for group in groups for _ in range(group.count or 1)])
    is_shared = any(Role.OMERO_READONLY in group.roles for group in groups)
    return ports if is_shared else ports | {firewall.NFS_PORT}


def _image(settings: Settings, system: System) -> str | None:
    return settings.omero_image if system == UBUNTU else settings.image


def _volumes(node: str, group: NodeGroup) -> tuple[Volume, ...]:
    purposes = {volume.name: volume for role in group.roles if (volume := role_facts(role).volume)}
    return tuple(_volume(node, name, purposes[name].mount, asked) for name, asked in group.volumes.items())


def _raw_volumes(node: str, release: str, group: NodeGroup, settings: Settings) -> tuple[Volume, ...]:
    """Return the volumes of raw images.

    Cinder attaches a volume to one server, so the read-write node has it and exports it by NFS.
    """
    volumes = volumes_of(settings.raw_images(), release) if Role.OMERO_READWRITE in group.roles else ()
    return tuple(_volume(node, one.name, one.mount, one) for one in volumes)


def _volume(node: str, purpose: str, mount: str, asked: DataVolume) -> Volume:
    return Volume(
        name=f"{node}-{purpose}",
        purpose=purpose,
        size_gib=asked.size_gib,
        mount=mount,
        type=asked.type,
        source=asked.source,
        existing=asked.existing,
    )
