"""FrontDoor: a public address in front of a port."""

from collections.abc import Sequence

import pulumi
import pulumi_openstack as openstack
from pulumi import ResourceOptions

from components.network import Network


class FrontDoor(pulumi.ComponentResource):
    """A floating address and the port it leads to; another port is an update in place. Output: `address`."""

    def __init__(
        self,
        name: str,
        *,
        external_network: str,
        port_id: pulumi.Input[str],
        network: Network,
        description: str,
        tags: Sequence[str],
        opts: ResourceOptions | None = None,
    ) -> None:
        super().__init__("idr:network:FrontDoor", name, None, opts)
        child = ResourceOptions(parent=self, delete_before_replace=True)
        floating = openstack.networking.FloatingIp(
            name, pool=external_network, description=description, tags=[*tags], opts=child
        )
        # Neutron refuses an address whose router does not reach the port yet (terraform-provider-openstack#1012).
        waits = ResourceOptions.merge(child, ResourceOptions(depends_on=[network.interface]))
        association = openstack.networking.FloatingIpAssociate(
            name, floating_ip=floating.address, port_id=port_id, opts=waits
        )
        self.association = association
        self.address = floating.address
        self.register_outputs({"address": self.address})
