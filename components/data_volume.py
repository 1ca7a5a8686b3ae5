"""DataVolume: data that must outlive its server."""

import pulumi
import pulumi_openstack as openstack
from pulumi import ResourceOptions

from components import cloud
from model.ownership import Labels
from model.plan import Plan, Volume


class DataVolume(pulumi.ComponentResource):
    """A Cinder volume that no change of configuration replaces or deletes. Output: `volume_id`.

    It is in its node's zone if block storage has a zone of that name: some clouds attach no other. An existing
    volume is no resource of the stack: it stays when the stack is destroyed.
    """

    def __init__(
        self,
        volume: Volume,
        *,
        plan: Plan,
        zone: str | None,
        labels: Labels,
        opts: ResourceOptions | None = None,
    ) -> None:
        super().__init__("idr:storage:DataVolume", volume.name, None, opts)
        self.volume_id: pulumi.Input[str]
        if volume.existing:
            self.volume_id = str(volume.existing)
        else:
            self.volume_id = openstack.blockstorage.Volume(
                volume.name,
                name=plan.cloud_name(volume.name),
                size=volume.size_gib,
                volume_type=volume.type,
                snapshot_id=str(volume.source.snapshot) if volume.source and volume.source.snapshot else None,
                source_vol_id=str(volume.source.volume) if volume.source and volume.source.volume else None,
                # A copy is created in the zone of its source.
                availability_zone=cloud.volume_zone(zone) if zone and not volume.source else None,
                metadata=labels.metadata(),
                enable_online_resize=True,
                opts=ResourceOptions(
                    parent=self,
                    protect=plan.settings.protect_data,
                    # These would replace the volume and delete its data, for example when a stack file no longer names
                    # the source.
                    ignore_changes=["snapshotId", "sourceVolId", "imageId", "availabilityZone"],
                ),
            ).id
        self.register_outputs({"volume_id": self.volume_id})
