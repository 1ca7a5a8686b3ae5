"""Deployment: the component of a whole stack."""

import pulumi
import pulumi_openstack as openstack
from pulumi import ResourceOptions

from components import cloud
from components.configuration import Configuration
from components.data_share import DataShares
from components.disclosure import Disclosure
from components.front_door import FrontDoor
from components.release import Release
from components.turns import Turns
from model.ownership import Labels
from model.plan import Plan, cloud_prefix
from model.replacement import Order
from model.secrets import Secrets

NO_ORDER = Order()
"""The order for a stack without servers."""


class Deployment(pulumi.ComponentResource):
    """Router, bastion, releases, and the public address of the live release.

    Servers and configurations in `order` are changed one after another.

    Outputs: `public_address`, `bastion_address`, `project_id`, `region`; ids of `servers` and `volumes` by name,
    locations of `shares` by name. `configured` has an output for each node, known when its services are healthy.
    """

    def __init__(
        self, plan: Plan, secrets: Secrets, order: Order = NO_ORDER, opts: ResourceOptions | None = None
    ) -> None:
        super().__init__("idr:deployment:Deployment", plan.stack, None, opts)
        child = ResourceOptions(parent=self)
        self._plan = plan
        Disclosure(plan, secrets, opts=child)
        turns = Turns(order)
        router_id = cloud.router_id(plan.settings.router) if plan.settings.router else self._router().id
        self._bastion, *others = (
            Release(scope, plan=plan, secrets=secrets, router_id=router_id, turns=turns, opts=child)
            for scope in plan.scopes
        )
        self._releases = dict(zip((scope.name for scope in plan.releases), others, strict=True))
        self._live = self._releases[plan.settings.live]
        self._bastion_ip = FrontDoor(
            "bastion",
            plan=plan,
            existing=plan.settings.floating_ips.bastion,
            port_id=self._bastion.nodes[plan.bastion_node.name].port_id,
            network=self._bastion.network,
            opts=child,
        )
        self._public_ip = FrontDoor(
            "public",
            plan=plan,
            existing=plan.settings.floating_ips.public,
            port_id=self._live.nodes[plan.public_node().name].port_id,
            network=self._live.network,
            opts=child,
        )
        nodes = {name: node for release in (self._bastion, *others) for name, node in release.nodes.items()}
        shares = DataShares(plan, nodes, opts=child)
        configurations = self._configure(shares) if plan.settings.configure else {}
        for name, node in nodes.items():
            turns.is_ready(name, configurations[name].applied if name in configurations else node.instance)
        self.configured = [configuration.done for configuration in configurations.values()]
        self.servers = {name: node.instance_id for name, node in nodes.items()}
        self.volumes = {v.name: nodes[node.name].volume_ids[v.purpose] for node in plan.nodes for v in node.volumes}
        self.shares = shares.locations
        bastion_node = nodes[plan.bastion_node.name]
        self.project_id, self.region = bastion_node.project_id, bastion_node.region
        self.public_address, self.bastion_address = self._public_ip.address, self._bastion_ip.address
        self.register_outputs({"public_address": self.public_address, "bastion_address": self.bastion_address})

    def _configure(self, shares: DataShares) -> dict[str, Configuration]:
        """Configure the nodes of all releases. Return the configurations by node."""
        address = self._bastion_ip.address
        configurations = self._bastion.configure(address, after=self._ssh_path(self._bastion), shares=shares)
        # The other nodes are reached through the bastion by its new host key, so the bastion gets it first.
        renewed = configurations[self._plan.bastion_node.name].renewed
        for release in self._releases.values():
            dependencies = [*self._ssh_path(release), *renewed]
            if self._plan.settings.acme and release is self._live:
                # The ACME authority requests a file from the proxy at the public address.
                dependencies.append(self._public_ip.association)
            configurations |= release.configure(address, after=dependencies, shares=shares)
        return configurations

    def _ssh_path(self, release: Release) -> list[pulumi.Resource]:
        """Return the ssh path to a release's nodes.

        It must exist before a node is configured, and until the node has been stopped for its deletion.
        """
        return [
            self._bastion_ip.association,
            *release.network.reachable,
            self._bastion.firewall,
            release.firewall,
        ]

    def _router(self) -> openstack.networking.Router:
        plan = self._plan
        return openstack.networking.Router(
            plan.stack,
            name=cloud_prefix(plan.stack),
            admin_state_up=True,
            external_network_id=cloud.external_network_id(plan.external_network),
            description=Labels(plan.stack).description(),
            tags=Labels(plan.stack).tags(),
            opts=ResourceOptions(parent=self, delete_before_replace=True),
        )
