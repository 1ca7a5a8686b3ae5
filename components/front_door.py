"""FrontDoor: a public address in front of a port."""

from ipaddress import IPv4Address

import pulumi
import pulumi_openstack as openstack
from pulumi import ResourceOptions

from components.network import Network
from model.ownership import Labels
from model.plan import Plan


class FrontDoor(pulumi.ComponentResource):
    """A floating IP and its port; another port is an update in place. Output: `address`.

    With `existing` it uses that floating IP, which the project keeps when the stack is destroyed.
    """

    def __init__(
        self,
        name: str,
        *,
        plan: Plan,
        existing: IPv4Address | None,
        port_id: pulumi.Input[str],
        network: Network,
        opts: ResourceOptions | None = None,
    ) -> None:
        super().__init__("idr:network:FrontDoor", name, None, opts)
        child = ResourceOptions(parent=self, delete_before_replace=True)
        labels = Labels(plan.stack, roles=(name,))
        self.address: pulumi.Input[str] = (
            str(existing)
            if existing
            else openstack.networking.FloatingIp(
                name,
                pool=plan.external_network,
                description=labels.description(),
                tags=labels.tags(),
                opts=child,
            ).address
        )
        # Neutron refuses an address whose router does not reach the port yet (terraform-provider-openstack#1012).
        waits = ResourceOptions.merge(child, ResourceOptions(depends_on=network.reachable))
        self.association = openstack.networking.FloatingIpAssociate(
            name, floating_ip=self.address, port_id=port_id, opts=waits
        )
        self.register_outputs({"address": self.address})
