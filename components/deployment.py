"""Deployment: the component of a whole stack."""

import pulumi
import pulumi_openstack as openstack
from pulumi import ResourceOptions

from components import cloud
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
        Disclosure(plan, secrets, opts=child)
        turns = Turns(order)
        router_id = cloud.router_id(plan.settings.router) if plan.settings.router else self._router(plan).id
        bastion, *others = (
            Release(scope, plan=plan, secrets=secrets, router_id=router_id, turns=turns, opts=child)
            for scope in plan.scopes
        )
        releases = dict(zip((scope.name for scope in plan.releases), others, strict=True))
        bastion_ip = FrontDoor(
            "bastion",
            plan=plan,
            existing=plan.settings.floating_ips.bastion,
            port_id=bastion.nodes[plan.bastion_node.name].port_id,
            network=bastion.network,
            opts=child,
        )
        live = releases[plan.settings.live]
        public = FrontDoor(
            "public",
            plan=plan,
            existing=plan.settings.floating_ips.public,
            port_id=live.nodes[plan.public_node().name].port_id,
            network=live.network,
            opts=child,
        )
        nodes = {name: node for release in (bastion, *others) for name, node in release.nodes.items()}
        shares = DataShares(plan, nodes, opts=child)
        working: dict[str, pulumi.Resource] = {name: node.instance for name, node in nodes.items()}
        self.configured: list[pulumi.Output[str]] = []
        if plan.settings.configure:
            jump: list[pulumi.Resource] = []
            for release in (bastion, *others):
                # The ssh path to a node must exist before it is configured, and until it has been stopped for its
                # deletion.
                firewalls = (bastion.firewall, release.firewall)
                dependencies = [bastion_ip.association, *release.network.reachable, *firewalls, *jump]
                if plan.settings.acme and release is live:
                    # The ACME authority requests a file from the proxy at the public address.
                    dependencies.append(public.association)
                configurations = release.configure(bastion_ip.address, after=dependencies, shares=shares)
                if release is bastion:
                    # The other nodes are reached through the bastion by its new host key, so the bastion gets it first.
                    jump = configurations[plan.bastion_node.name].renewed
                working |= {name: one.applied for name, one in configurations.items()}
                self.configured += [one.done for one in configurations.values()]
        for name, resource in working.items():
            turns.is_ready(name, resource)
        self.servers = {name: node.instance_id for name, node in nodes.items()}
        self.volumes = {v.name: nodes[node.name].volume_ids[v.purpose] for node in plan.nodes for v in node.volumes}
        self.shares = shares.locations
        bastion_node = nodes[plan.bastion_node.name]
        self.project_id, self.region = bastion_node.project_id, bastion_node.region
        self.public_address = public.address
        self.bastion_address = bastion_ip.address
        self.register_outputs({"public_address": self.public_address, "bastion_address": self.bastion_address})

    def _router(self, plan: Plan) -> openstack.networking.Router:
        return openstack.networking.Router(
            plan.stack,
            name=cloud_prefix(plan.stack),
            admin_state_up=True,
            external_network_id=cloud.external_network_id(plan.external_network),
            description=Labels(plan.stack).description(),
            tags=Labels(plan.stack).tags(),
            opts=ResourceOptions(parent=self, delete_before_replace=True),
        )
