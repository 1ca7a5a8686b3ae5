"""DataVolume: what must outlive the machine that uses it."""

import pulumi
import pulumi_openstack as openstack
from pulumi import ResourceOptions

from model.plan import Volume


class DataVolume(pulumi.ComponentResource):
    """A Cinder volume that no change of configuration replaces or deletes. Output: `volume_id`."""

    def __init__(
        self,
        volume: Volume,
        *,
        name: str,
        protect: bool,
        metadata: dict[str, str],
        opts: ResourceOptions | None = None,
    ) -> None:
        super().__init__("idr:storage:DataVolume", volume.name, None, opts)
        made = openstack.blockstorage.Volume(
            volume.name,
            name=name,
            size=volume.size_gib,
            metadata=metadata,
            enable_online_resize=True,
            opts=ResourceOptions(
                parent=self,
                protect=protect,
                # Taking the source out of the settings, or a new image of the cloud, must not cost the data.
                ignore_changes=["snapshotId", "sourceVolId", "imageId", "availabilityZone"],
            ),
        )
        self.volume_id = made.id
        self.register_outputs({"volume_id": self.volume_id})
