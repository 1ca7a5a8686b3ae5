"""How much of each quota a plan needs: the difference between the plan and what the cloud has."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from model import shares
from model.cloud_state import UNLIMITED, CloudFlavor, CloudState, GroupRule, Server
from model.firewall import ANYWHERE, Rule
from model.plan import Node, Plan, Volume
from model.release_settings import Flavor

PORTS_OF_A_NETWORK = 2
"""Ports of a network beside those of nodes: its DHCP server's and its router interface."""
RULES_OF_DEFAULT = 4
"""Rules of the group `default`, which Neutron creates when a project first uses it."""
AT_ONCE = 16
"""Requests that the engine sends at the same time."""
COUNTED_TWICE = frozenset({"networks", "subnets", "ports", "floating IPs", "security group rules"})
"""Neutron's quotas. Neutron counts a pending request in addition to the object that it has just created."""


@dataclass(frozen=True)
class Need:
    """How much more of a quota the plan needs, and how much of it is free. `limit` -1 means none."""

    quota: str
    more: int
    free: float
    limit: int

    @property
    def fits(self) -> bool:
        """Whether the quota is enough."""
        return self.more <= max(self.free, 0)

    @property
    def is_tight(self) -> bool:
        """Whether the quota suffices only if Neutron counts nothing twice."""
        pending = min(self.more, AT_ONCE) - 1
        return self.quota in COUNTED_TWICE and self.fits and self.more > 0 and self.free < self.more + pending

    def __str__(self) -> str:
        return f"quota of {self.quota}: {self.more} more needed, {max(self.free, 0):.0f} left of {self.limit}"


def needs(plan: Plan, state: CloudState) -> tuple[Need, ...]:
    """Return what the plan still needs of each quota that the cloud reports."""
    return tuple(
        Need(name, more, state.quotas[name].free, state.quotas[name].limit)
        for name, more in Difference(plan, state).quantities().items()
        if name in state.quotas
    )


def is_moved(planned: str | None, zone: str | None) -> bool:
    """Return whether a server in `zone` must be replaced to be in the zone `planned`; None: not set, or unknown."""
    return planned is not None and zone is not None and planned != zone


class Difference:
    """The difference between the plan and the cloud: missing objects, and those of another size."""

    def __init__(self, plan: Plan, state: CloudState) -> None:
        self._plan, self._state, self._name = plan, state, plan.cloud_name
        self._frozen = frozenset(scope.name for scope in plan.scopes if scope.frozen)

    # -- servers ------------------------------------------------------------------------------------------------------
    @cached_property
    def _servers(self) -> dict[str, Server]:
        return {server.name: server for server in self._state.servers}

    def server(self, node: Node) -> Server | None:
        """Return the existing server of a node."""
        return self._servers.get(self._name(node.name))

    @cached_property
    def missing(self) -> tuple[Node, ...]:
        """Nodes without a server."""
        return tuple(node for node in self._plan.nodes if self.server(node) is None)

    @cached_property
    def created(self) -> tuple[Node, ...]:
        """Nodes whose server this change creates: those without a server, and those whose server is replaced."""
        return tuple(node for node in self._plan.nodes if self._is_created(node))

    @cached_property
    def kept(self) -> tuple[Node, ...]:
        """Nodes whose server stays."""
        return tuple(node for node in self._plan.nodes if node not in self.created)

    def _is_created(self, node: Node) -> bool:
        server = self.server(node)
        if server is None:
            return True
        if node.scope in self._frozen:
            return False
        is_another = (server.image, server.rebuild) != (node.image, str(node.rebuild))
        return is_another or is_moved(node.zone, server.zone) or self._has_other_ports(node)

    def _has_other_ports(self, node: Node) -> bool:
        """Return whether a server gets or loses its second port: Nova changes that for no existing server."""
        if self._state.ports is None:
            return False
        names = {port.name for port in self._state.ports if port.is_own}
        return self._name(node.name) in names and (node.storage_network is not None) != (
            self._name(f"{node.name}-storage") in names
        )

    @cached_property
    def sized(self) -> tuple[Node, ...]:
        """Nodes whose flavor this change uses."""
        return tuple(
            node
            for node in self._plan.nodes
            if node in self.created
            or (node.scope not in self._frozen and (server := self.server(node)) and server.flavor != node.flavor_name)
        )

    def flavor(self, node: Node) -> CloudFlavor | Flavor:
        """Return the cloud's flavor of a node; the one in the settings if the cloud has none of that name."""
        known = (flavor for flavor in self._state.flavors or () if flavor.name == node.flavor_name)
        return next(known, node.flavor)

    def _more(self, what: str) -> int:
        """Return how much more of `vcpus` or `memory_mib` is needed: the difference to a larger flavor, or nothing."""
        total = 0
        for node in self.sized:
            server = self.server(node)
            total += max(0, getattr(self.flavor(node), what) - (getattr(server, what) if server else 0))
        return total

    # -- volumes ------------------------------------------------------------------------------------------------------
    @cached_property
    def volumes(self) -> tuple[Volume, ...]:
        """Data volumes that do not exist yet."""
        existing = {volume.name for volume in self._state.volumes or () if volume.is_own}
        return tuple(volume for volume in self._own_volumes() if self._name(volume.name) not in existing)

    def _own_volumes(self) -> Iterator[Volume]:
        yield from (volume for node in self._plan.nodes for volume in node.volumes if not volume.existing)

    @cached_property
    def growth(self) -> dict[Volume, int]:
        """Existing data volumes that grow, and by how many GiB."""
        sizes = {volume.name: volume.size_gib for volume in self._state.volumes or () if volume.is_own}
        grown = {v: v.size_gib - sizes[self._name(v.name)] for v in self._own_volumes() if self._name(v.name) in sizes}
        return {volume: more for volume, more in grown.items() if more > 0}

    @cached_property
    def retyped(self) -> tuple[Volume, ...]:
        """Existing data volumes that get another type."""
        types = {volume.name: volume.type for volume in self._state.volumes or () if volume.is_own and volume.type}
        return tuple(v for v in self._own_volumes() if v.type and types.get(self._name(v.name), v.type) != v.type)

    def _boot(self) -> tuple[int, int]:
        """Return how many more boot volumes, and GiB, this change creates than it deletes with their servers."""
        existing = {str(volume.existing) for node in self._plan.nodes for volume in node.volumes}
        others = [one for one in self._state.volumes or () if not one.is_own and one.id not in existing]
        sizes = {server: volume.size_gib for volume in others for server in volume.servers}
        planned = [(node.boot_volume_gib, self.server(node)) for node in self.created if node.boot_volume_gib]
        pairs = [(gib, sizes.get(server.id, 0) if server else 0) for gib, server in planned]
        return sum(not old for _, old in pairs), sum(max(0, gib - old) for gib, old in pairs)

    def _storage(self) -> dict[str, int]:
        booted = self._boot()
        amounts = {
            "volumes": len(self.volumes) + booted[0],
            "volume gigabytes": sum(v.size_gib for v in self.volumes) + booted[1] + sum(self.growth.values()),
        }
        for kind in sorted({self._type(volume) for volume in self._own_volumes()} | {self._state.default_type or ""}):
            new = [volume.size_gib for volume in (*self.volumes, *self.retyped) if self._type(volume) == kind]
            stay = [volume for volume in self.growth if volume not in self.retyped]
            grown = [self.growth[volume] for volume in stay if self._type(volume) == kind]
            roots = booted if kind == self._state.default_type else (0, 0)
            amounts[f"volumes of type '{kind}'"] = len(new) + roots[0]
            amounts[f"gigabytes of type '{kind}'"] = sum(new) + sum(grown) + roots[1]
        return amounts

    def _type(self, volume: Volume) -> str:
        return volume.type or self._state.default_type or ""

    def _shares(self) -> dict[str, int]:
        sizes = {share.name: share.size_gib for share in self._state.shares or () if share.is_own}
        planned = [(sizes.get(self._name(share.name)), share.size_gib) for share in shares.of(self._plan)]
        return {
            "shares": sum(size is None for size, _ in planned),
            "share gigabytes": sum(max(0, gib - (size or 0)) for size, gib in planned),
        }

    # -- network ------------------------------------------------------------------------------------------------------
    def _new_networks(self) -> tuple[int, int]:
        """Return how many networks and subnets do not exist yet."""
        own = [network for network in self._state.networks or () if network.is_own]
        networks = {network.name for network in own}
        subnets = {subnet.name for network in own for subnet in network.subnets}
        planned = [self._name(scope.name) for scope in self._plan.scopes if not scope.subnet.existing]
        return sum(name not in networks for name in planned), sum(name not in subnets for name in planned)

    def _ports(self) -> int:
        existing = {port.name for port in self._state.ports or () if port.is_own}
        planned = [node.name for node in self._plan.nodes]
        planned += [f"{node.name}-storage" for node in self._plan.nodes if node.storage_network]
        return sum(self._name(name) not in existing for name in planned)

    def _floating_ips(self) -> int:
        settings = self._plan.settings.floating_ips
        addresses = {"bastion": settings.bastion, "public": settings.public}
        existing = {known.leads_to for known in self._state.floating_ips or ()}
        return sum(address is None and name not in existing for name, address in addresses.items())

    def _groups(self) -> tuple[int, int]:
        """Return how many security groups and rules do not exist yet."""
        groups = self._state.security_groups or ()
        rules = {group.name: group.rules for group in groups if group.is_own}
        planned = [self._name(group) for scope in self._plan.scopes for group in scope.security_groups]
        new_rules = sum(
            self._group_rule(rule) not in rules.get(self._name(rule.group), frozenset())
            for scope in self._plan.scopes
            for rule in scope.rules
        )
        own = self._state.security_groups is not None and not any(group.name == "default" for group in groups)
        return sum(name not in rules for name in planned) + own, new_rules + own * RULES_OF_DEFAULT

    def _group_rule(self, rule: Rule) -> GroupRule:
        remote = self._name(rule.remote_group) if rule.remote_group else rule.remote_cidr or str(ANYWHERE)
        return GroupRule(rule.direction, rule.transport, rule.port, rule.port, remote)

    def quantities(self) -> dict[str, int]:
        """Return how much more of each quota is needed, by its name in messages."""
        networks, subnets = self._new_networks()
        groups, rules = self._groups()
        routers = [router for router in self._state.routers or () if router.is_own]
        server_groups = [self._name(name) for scope in self._plan.scopes for name in scope.server_groups]
        return {
            "instances": len(self.missing),
            "cores": self._more("vcpus"),
            "ram (MiB)": self._more("memory_mib"),
            "server groups": sum(name not in (self._state.server_groups or ()) for name in server_groups),
            **self._storage(),
            **self._shares(),
            "networks": networks,
            "subnets": subnets,
            "routers": int(self._plan.settings.router is None and not routers),
            "ports": self._ports() + PORTS_OF_A_NETWORK * networks,
            "floating IPs": self._floating_ips(),
            "security groups": groups,
            "security group rules": rules,
        }


def tight(needs: Iterable[Need]) -> list[str]:
    """Warn of quotas that are just enough, so that an `up` can fail half-way."""
    return [
        f"{need}: just enough, and Neutron counts what is on its way twice; should `pulumi up` say that a quota is "
        "exceeded, run it again"
        for need in needs
        if need.is_tight
    ]


def is_limited(need: Need) -> bool:
    """Return whether the quota has a limit."""
    return need.limit != UNLIMITED
