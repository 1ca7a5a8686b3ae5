"""Node: a server on a port with a fixed address, with its data volumes attached."""

import pulumi
import pulumi_openstack as openstack
from pulumi import ResourceOptions

from components.data_volume import DataVolume
from components.network import Network
from model.plan import Node as NodePlan


class Node(pulumi.ComponentResource):
    """Port, server, data volumes and their attachments.

    Outputs: `instance_id`, `port_id`, `volume_ids` by purpose; `attachments` is what configuration must wait for.
    """

    def __init__(
        self,
        node: NodePlan,
        *,
        network: Network,
        group_ids: dict[str, pulumi.Output[str]],
        user_data: str,
        prefix: str,
        protect_data: bool,
        metadata: dict[str, str],
        opts: ResourceOptions | None = None,
    ) -> None:
        super().__init__("idr:compute:Node", node.name, None, opts)
        name = f"{prefix}-{node.name}"
        # Named ports and servers cannot stand beside their successors, whatever plugin makes them.
        child = ResourceOptions(parent=self, delete_before_replace=True)
        port = openstack.networking.Port(
            node.name,
            name=name,
            network_id=network.network_id,
            admin_state_up=True,
            fixed_ips=[{"subnet_id": network.subnet_id, "ip_address": str(node.address)}],
            security_group_ids=[group_ids[group] for group in node.security_groups],
            opts=child,
        )
        instance = openstack.compute.Instance(
            node.name,
            name=name,
            flavor_name=node.flavor_name,
            image_name=node.image,
            availability_zone=node.zone,
            networks=[{"port": port.id}],
            config_drive=True,
            # It carries the ssh host key.
            user_data=pulumi.Output.secret(user_data),
            metadata={**metadata, "rebuild": str(node.rebuild)},
            opts=ResourceOptions.merge(
                child,
                ResourceOptions(
                    # A newer bootstrap is for newer machines; a rebuild is asked for by name.
                    ignore_changes=["userData"],
                    # Nova's rebuild for another image would silently empty the root disk
                    # (terraform-provider-openstack#1562): a new server says what it is.
                    replace_on_changes=["imageName", "metadata.rebuild"],
                ),
            ),
        )
        self.volume_ids: dict[str, pulumi.Output[str]] = {}
        self.attachments: list[pulumi.Resource] = []
        for volume in node.volumes:
            data = DataVolume(
                volume,
                name=f"{prefix}-{volume.name}",
                protect=protect_data,
                metadata=metadata,
                opts=ResourceOptions(parent=self),
            )
            self.volume_ids[volume.purpose] = data.volume_id
            self.attachments.append(
                openstack.compute.VolumeAttach(
                    volume.name, instance_id=instance.id, volume_id=data.volume_id, opts=child
                )
            )
        self.instance_id = instance.id
        self.port_id = port.id
        self.register_outputs({"instance_id": self.instance_id, "port_id": self.port_id})
