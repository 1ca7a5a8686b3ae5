"""Network: a network with its subnet on the stack's router, or an existing one."""

import pulumi
import pulumi_openstack as openstack
from pulumi import ResourceOptions

from components import cloud
from model.ownership import Labels
from model.plan import Plan, Scope


class Network(pulumi.ComponentResource):
    """One network, one subnet, and the router's interface in it. An existing network already has its router.

    Outputs: `network_id`, `subnet_id`; floating IPs depend on `reachable`.
    """

    def __init__(
        self,
        scope: Scope,
        *,
        plan: Plan,
        router_id: pulumi.Input[str],
        opts: ResourceOptions | None = None,
    ) -> None:
        # Its logical name begins with the stack's, unlike that of other components. Another one would replace it.
        super().__init__("idr:network:Network", plan.cloud_name(scope.name), None, opts)
        subnet = scope.subnet
        self.network_id: pulumi.Input[str]
        self.subnet_id: pulumi.Input[str]
        self.reachable: list[pulumi.Resource] = []
        if subnet.existing:
            network_id = cloud.network_id(subnet.existing)
            self.network_id, self.subnet_id = network_id, cloud.subnet_id(network_id, str(subnet.cidr))
        else:
            self._declare(scope, plan, router_id)
        self.register_outputs({"network_id": self.network_id, "subnet_id": self.subnet_id})

    def _declare(self, scope: Scope, plan: Plan, router_id: pulumi.Input[str]) -> None:
        subnet, name, labels = scope.subnet, plan.cloud_name(scope.name), Labels(plan.stack, scope.name)
        child = ResourceOptions(parent=self, delete_before_replace=True)
        network = openstack.networking.Network(
            name,
            name=name,
            admin_state_up=True,
            description=labels.description(),
            tags=labels.tags(),
            opts=child,
        )
        first, last = subnet.pool
        declared = openstack.networking.Subnet(
            name,
            name=name,
            network_id=network.id,
            cidr=str(subnet.cidr),
            ip_version=4,
            gateway_ip=str(subnet.gateway),
            allocation_pools=[{"start": str(first), "end": str(last)}],
            dns_nameservers=[str(server) for server in plan.settings.dns_servers],
            description=labels.description(),
            tags=labels.tags(),
            opts=child,
        )
        interface = openstack.networking.RouterInterface(name, router_id=router_id, subnet_id=declared.id, opts=child)
        self.network_id, self.subnet_id, self.reachable = network.id, declared.id, [interface]
