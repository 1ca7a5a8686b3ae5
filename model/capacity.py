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
"""Neutron makes the group `default` with these when a project first uses it."""
AT_ONCE = 16
"""Requests that the engine sends at the same time."""
COUNTED_TWICE = frozenset({"networks", "subnets", "ports", "floating IPs", "security group rules"})
"""Neutron's quotas. It counts a pending request in addition to what it has just created."""


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
        return self.more <= max(self.free, 0)

    @property
    def is_tight(self) -> bool:
        """Whether the quota suffices only if Neutron counts nothing twice."""
        on_the_way = min(self.more, AT_ONCE) - 1
        return self.quota in COUNTED_TWICE and self.fits and self.more > 0 and self.free < self.more + on_the_way

    def __str__(self) -> str:
        return f"quota of {self.quota}: {self.more} more needed, {max(self.free, 0):.0f} left of {self.limit}"


def needs(plan: Plan, state: CloudState) -> tuple[Need, ...]:
    """What the plan still needs of each quota that the cloud reports."""
    return tuple(
        Need(name, more, state.quotas[name].free, state.quotas[name].limit)
        for name, more in Difference(plan, state).quantities().items()
        if name in state.quotas
    )


def is_moved(wanted: str | None, zone: str | None) -> bool:
    """Whether a server in `zone` must be replaced to be in the zone `wanted`; None: not set, or unknown."""
    return wanted is not None and zone is not None and wanted != zone


class Difference:
    """What the cloud lacks of the plan, or has in another size."""

    def __init__(self, plan: Plan, state: CloudState) -> None:
        self._plan, self._state, self._name = plan, state, plan.cloud_name
        self._frozen = frozenset(scope.name for scope in plan.scopes if scope.frozen)

    # -- servers ------------------------------------------------------------------------------------------------------
    @cached_property
    def _servers(self) -> dict[str, Server]:
        return {server.name: server for server in self._state.servers}

    def server(self, node: Node) -> Server | None:
        """The existing server of a node."""
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
        """Whether a server gets or loses its second port: Nova changes that for no existing server."""
        if self._state.ports is None:
            return False
        names = {port.name for port in self._state.ports if port.mine}
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
        """The cloud's flavor of a node; what the settings say of it where the cloud has none of that name."""
        known = (flavor for flavor in self._state.flavors or () if flavor.name == node.flavor_name)
        return next(known, node.flavor)

    def _more(self, what: str) -> int:
        """How much more of `vcpus` or `memory_mib`: of a larger flavor the difference, of a smaller nothing."""
        total = 0
        for node in self.sized:
            server = self.server(node)
            total += max(0, getattr(self.flavor(node), what) - (getattr(server, what) if server else 0))
        return total

    # -- volumes ------------------------------------------------------------------------------------------------------
    @cached_property
    def volumes(self) -> tuple[Volume, ...]:
        """Data volumes that do not exist yet."""
        there = {volume.name for volume in self._state.volumes or () if volume.mine}
        return tuple(volume for volume in self._own_volumes() if self._name(volume.name) not in there)

    def _own_volumes(self) -> Iterator[Volume]:
        yield from (volume for node in self._plan.nodes for volume in node.volumes if not volume.existing)

    @cached_property
    def growth(self) -> dict[Volume, int]:
        """Existing data volumes that grow, and by how many GiB."""
        sizes = {volume.name: volume.size_gib for volume in self._state.volumes or () if volume.mine}
        grown = {v: v.size_gib - sizes[self._name(v.name)] for v in self._own_volumes() if self._name(v.name) in sizes}
        return {volume: more for volume, more in grown.items() if more > 0}

    @cached_property
    def retyped(self) -> tuple[Volume, ...]:
        """Existing data volumes that get another type."""
        types = {volume.name: volume.type for volume in self._state.volumes or () if volume.mine and volume.type}
        return tuple(v for v in self._own_volumes() if v.type and types.get(self._name(v.name), v.type) != v.type)

    def _boot(self) -> tuple[int, int]:
        """How many more boot volumes this change makes than it deletes with their servers, and how many more GiB."""
        existing = {str(volume.existing) for node in self._plan.nodes for volume in node.volumes}
        others = [one for one in self._state.volumes or () if not one.mine and one.id not in existing]
        sizes = {server: volume.size_gib for volume in others for server in volume.servers}
        wanted = [(node.boot_volume_gib, self.server(node)) for node in self.created if node.boot_volume_gib]
        pairs = [(gib, sizes.get(server.id, 0) if server else 0) for gib, server in wanted]
        return sum(not there for _, there in pairs), sum(max(0, gib - there) for gib, there in pairs)

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
        sizes = {share.name: share.size_gib for share in self._state.shares or () if share.mine}
        wanted = [(sizes.get(self._name(share.name)), share.size_gib) for share in shares.of(self._plan)]
        return {
            "shares": sum(size is None for size, _ in wanted),
            "share gigabytes": sum(max(0, gib - (size or 0)) for size, gib in wanted),
        }

    # -- network ------------------------------------------------------------------------------------------------------
    def _new_networks(self) -> tuple[int, int]:
        """How many networks and subnets do not exist yet."""
        mine = [network for network in self._state.networks or () if network.mine]
        networks = {network.name for network in mine}
        subnets = {subnet.name for network in mine for subnet in network.subnets}
        wanted = [self._name(scope.name) for scope in self._plan.scopes if not scope.subnet.existing]
        return sum(name not in networks for name in wanted), sum(name not in subnets for name in wanted)

    def _ports(self) -> int:
        there = {port.name for port in self._state.ports or () if port.mine}
        wanted = [node.name for node in self._plan.nodes]
        wanted += [f"{node.name}-storage" for node in self._plan.nodes if node.storage_network]
        return sum(self._name(name) not in there for name in wanted)

    def _floating_ips(self) -> int:
        given = {"bastion": self._plan.settings.floating_ips.bastion, "public": self._plan.settings.floating_ips.public}
        there = {known.leads_to for known in self._state.floating_ips or ()}
        return sum(address is None and name not in there for name, address in given.items())

    def _groups(self) -> tuple[int, int]:
        """How many security groups and rules do not exist yet."""
        groups = self._state.security_groups or ()
        rules = {group.name: group.rules for group in groups if group.mine}
        wanted = [self._name(group) for scope in self._plan.scopes for group in scope.security_groups]
        new_rules = sum(
            self._as_made(rule) not in rules.get(self._name(rule.group), frozenset())
            for scope in self._plan.scopes
            for rule in scope.rules
        )
        own = self._state.security_groups is not None and not any(group.name == "default" for group in groups)
        return sum(name not in rules for name in wanted) + own, new_rules + own * RULES_OF_DEFAULT

    def _as_made(self, rule: Rule) -> GroupRule:
        remote = self._name(rule.remote_group) if rule.remote_group else rule.remote_cidr or str(ANYWHERE)
        return GroupRule(rule.direction, rule.transport, rule.port, rule.port, remote)

    def quantities(self) -> dict[str, int]:
        """How much more of each quota, by the words that messages use."""
        networks, subnets = self._new_networks()
        groups, rules = self._groups()
        routers = [router for router in self._state.routers or () if router.mine]
        wanted_groups = [self._name(name) for scope in self._plan.scopes for name in scope.server_groups]
        return {
            "instances": len(self.missing),
            "cores": self._more("vcpus"),
            "ram (MiB)": self._more("memory_mib"),
            "server groups": sum(name not in (self._state.server_groups or ()) for name in wanted_groups),
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
    """The quotas that only just suffice, so that an `up` can fail half-way."""
    return [
        f"{need}: just enough, and Neutron counts what is on its way twice; should `pulumi up` say that a quota is "
        "exceeded, run it again"
        for need in needs
        if need.is_tight
    ]


def is_limited(need: Need) -> bool:
    """Whether the quota has a limit."""
    return need.limit != UNLIMITED
