"""Node: a server on a port with a fixed address, with its data volumes attached."""

from collections.abc import Mapping, Sequence

import pulumi
import pulumi_openstack as openstack
from pulumi import ResourceOptions
from pulumi_openstack.compute import InstanceBlockDeviceArgs, InstanceNetworkArgs, InstanceSchedulerHintArgs

from components import cloud
from components.data_volume import DataVolume
from components.network import Network
from components.turns import Turns
from model.outputs.metadata import server_metadata
from model.ownership import Labels
from model.plan import Node as NodePlan
from model.plan import Plan, Volume
from model.raw_storage import StorageNetwork


class Node(pulumi.ComponentResource):
    """Port, server, data volumes and their attachments.

    Outputs: `instance`, `instance_id`, `port_id`, `project_id`, `region`, `volume_ids` by purpose; configurations
    depend on `attachments`; `storage_address` is its address in the storage network.
    """

    def __init__(
        self,
        node: NodePlan,
        *,
        plan: Plan,
        network: Network,
        group_ids: Mapping[str, pulumi.Input[str]],
        server_group_ids: Mapping[str, pulumi.Input[str]],
        user_data: str,
        turns: Turns,
        opts: ResourceOptions | None = None,
    ) -> None:
        super().__init__("idr:compute:Node", node.name, None, opts)
        self._node, self._plan, self._network = node, plan, network
        self._cloud_name, self._labels = plan.cloud_name(node.name), Labels(plan.stack, node.scope, tuple(node.roles))
        # A replacement has the same name and address: the engine must delete the old port or server first.
        self._child = ResourceOptions(parent=self, delete_before_replace=True)
        security_groups = [group_ids[group] for group in node.security_groups]
        port = self._port(security_groups)
        storage_port = self._storage_port(node.storage_network, security_groups) if node.storage_network else None
        self.instance = self._instance(
            [port, storage_port] if storage_port else [port],
            user_data,
            server_group_ids[node.server_group] if node.server_group else None,
            turns,
        )
        self.volume_ids: dict[str, pulumi.Input[str]] = {}
        self.attachments: list[pulumi.Resource] = []
        for volume in node.volumes:
            self._attach(volume)
        self.instance_id, self.port_id = self.instance.id, port.id
        # Neutron chooses the address in the storage network.
        self.storage_address: pulumi.Input[str] = (
            storage_port.all_fixed_ips.apply(_first_of_version_4) if storage_port else str(node.address)
        )
        self.project_id, self.region = port.tenant_id, port.region
        self.register_outputs({"instance_id": self.instance_id, "port_id": self.port_id})

    def _port(self, security_groups: Sequence[pulumi.Input[str]]) -> openstack.networking.Port:
        return openstack.networking.Port(
            self._node.name,
            name=self._cloud_name,
            network_id=self._network.network_id,
            admin_state_up=True,
            fixed_ips=[{"subnet_id": self._network.subnet_id, "ip_address": str(self._node.address)}],
            security_group_ids=security_groups,
            description=self._labels.description(),
            tags=self._labels.tags(),
            opts=self._child,
        )

    def _storage_port(
        self, storage: StorageNetwork, security_groups: Sequence[pulumi.Input[str]]
    ) -> openstack.networking.Port:
        return openstack.networking.Port(
            f"{self._node.name}-storage",
            name=f"{self._cloud_name}-storage",
            network_id=cloud.network_id(storage.name),
            admin_state_up=True,
            # Without port security, Neutron refuses a port with groups.
            security_group_ids=security_groups if storage.port_security else None,
            no_security_groups=None if storage.port_security else True,
            description=self._labels.description(),
            tags=self._labels.tags(),
            opts=self._child,
        )

    def _instance(
        self,
        ports: Sequence[openstack.networking.Port],
        user_data: str,
        group_id: pulumi.Input[str] | None,
        turns: Turns,
    ) -> openstack.compute.Instance:
        node, plan = self._node, self._plan
        deleted = turns.deleted_id(node.name)
        return openstack.compute.Instance(
            node.name,
            name=self._cloud_name,
            flavor_name=node.flavor_name,
            image_name=None if node.boot_volume_gib else node.image,
            block_devices=_boot_volume(node.image, node.boot_volume_gib) if node.boot_volume_gib else None,
            key_pair=plan.settings.keypair,
            availability_zone=node.zone,
            scheduler_hints=[InstanceSchedulerHintArgs(group=group_id)] if group_id is not None else None,
            # Another order of the ports would replace the server (terraform-provider-openstack#1071).
            networks=[InstanceNetworkArgs(port=port.id) for port in ports],
            config_drive=True,
            power_state="active",
            # It carries the ssh host key.
            user_data=pulumi.Output.secret(user_data),
            metadata={
                **server_metadata(node, plan),
                **self._labels.metadata(),
                "image": node.image,
                "rebuild": str(node.rebuild),
                **({"replaces": deleted} if deleted else {}),
            },
            opts=ResourceOptions.merge(
                self._child,
                _change(frozen=plan.scope_of(node).frozen, deleted=bool(deleted), after=turns.before_server(node.name)),
            ),
        )

    def _attach(self, volume: Volume) -> None:
        """Declare a data volume and its attachment."""
        opts = ResourceOptions(parent=self)
        data = DataVolume(volume, plan=self._plan, zone=self._node.zone, labels=self._labels, opts=opts)
        self.volume_ids[volume.purpose] = data.volume_id
        self.attachments.append(
            openstack.compute.VolumeAttach(
                volume.name, instance_id=self.instance.id, volume_id=data.volume_id, opts=self._child
            )
        )


def _change(*, frozen: bool, deleted: bool, after: list[pulumi.Input[pulumi.Resource]]) -> ResourceOptions:
    """Return how a change of the settings affects an existing server. A `deleted` one is replaced, also if `frozen`."""
    kept = ["metadata.replaces", *(["flavorName", "metadata", "networks", "availabilityZone"] if frozen else [])]
    return ResourceOptions(
        depends_on=after,
        ignore_changes=[
            # A changed bootstrap applies to new servers only. An operator requests a rebuild by the node's name.
            "userData",
            # A server's zone and the key pair that Nova recorded do not change after its creation.
            "schedulerHints",
            "keyPair",
            # The program starts servers that are switched off (restored.restore_servers), with or without a refresh.
            # After a refresh the provider would start it again, which Nova refuses.
            "powerState",
            # An image that is uploaded again under its name has another id. After a refresh, a server whose image was
            # deleted has the image name "Image not found", and the provider would rebuild it in place. metadata.image
            # changes with the image's name in the settings. A server that is replaced gets that image.
            "blockDevices",
            "imageName",
            # `replaces` is set only in the update that replaces a deleted server; later ones do not change it.
            *([] if deleted else kept),
        ],
        # Nova's rebuild for another image would silently empty the root disk (terraform-provider-openstack#1562). A
        # replacement is visible in the preview.
        replace_on_changes=["metadata.image", "metadata.rebuild", "metadata.replaces"],
    )


def _first_of_version_4(addresses: Sequence[str]) -> str:
    return next(address for address in addresses if ":" not in address)


def _boot_volume(image: str, size_gib: int) -> list[InstanceBlockDeviceArgs]:
    """Return a boot volume, which is deleted with its server. Data is on data volumes only."""
    return [
        InstanceBlockDeviceArgs(
            source_type="image",
            uuid=cloud.image_id(image),
            destination_type="volume",
            volume_size=size_gib,
            boot_index=0,
            delete_on_termination=True,
        )
    ]
