"""DataShare: raw images on a Manila share, with access rules for nodes."""

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
import pulumi_openstack as openstack
from pulumi import ResourceOptions

from components.node import Node
from model import manila, shares
from model.manila import ExportLocationError, ManilaShare
from model.ownership import Labels
from model.plan import Plan
from model.shares import Access


class DataShare(pulumi.ComponentResource):
    """A Manila share with an access rule for each node. No change of configuration replaces or deletes it.

    Outputs: `location` for mounts; `accesses` are the rules by node.
    """

    def __init__(
        self,
        share: ManilaShare,
        *,
        plan: Plan,
        nodes: Mapping[str, Node],
        opts: ResourceOptions | None = None,
    ) -> None:
        super().__init__("idr:storage:DataShare", share.name, None, opts)
        resource = openstack.sharedfilesystem.Share(
            share.name,
            name=plan.cloud_name(share.name),
            share_proto=manila.PROTOCOL,
            size=share.size_gib,
            share_type=share.type,
            metadata=Labels(plan.stack).metadata(),
            opts=ResourceOptions(
                parent=self,
                protect=plan.settings.protect_data,
                # Another type would replace the share and delete its data. `require_capacity` refuses it.
                ignore_changes=["shareProto", "shareType", "shareNetworkId", "snapshotId", "availabilityZone"],
            ),
        )
        self.location: pulumi.Output[str] = resource.export_locations.apply(lambda known: location(share, known, plan))
        rules = [rule for rule in shares.accesses(plan) if rule.share == share.name]
        self.accesses = {rule.node.name: self._access_rule(rule, resource, nodes[rule.node.name]) for rule in rules}
        self.register_outputs({"location": self.location})

    def _access_rule(self, rule: Access, resource: openstack.sharedfilesystem.Share, node: Node) -> pulumi.Resource:
        return openstack.sharedfilesystem.ShareAccess(
            rule.name,
            share_id=resource.id,
            access_type="ip",
            access_to=node.storage_address,
            access_level=rule.level,
            # Manila refuses a second rule for an address.
            opts=ResourceOptions(parent=self, delete_before_replace=True),
        )


class DataShares:
    """All shares of a stack. `locations` has the location of each by name."""

    def __init__(self, plan: Plan, nodes: Mapping[str, Node], opts: ResourceOptions) -> None:
        self._shares = {one.name: DataShare(one, plan=plan, nodes=nodes, opts=opts) for one in shares.of(plan)}
        self.locations = {name: share.location for name, share in self._shares.items()}

    def of_node(self, node: str) -> dict[str, pulumi.Output[str]]:
        """Return the locations of the shares that a node mounts, by name."""
        return {name: share.location for name, share in self._shares.items() if node in share.accesses}

    def access_rules(self, node: str) -> list[pulumi.Resource]:
        """Return the access rules on which a node's mounts depend."""
        return [share.accesses[node] for share in self._shares.values() if node in share.accesses]


def location(share: ManilaShare, export_locations: Sequence[Any], plan: Plan) -> str:
    """Choose the location for mounts from the cloud's export locations. Raises RunError."""
    storage = plan.settings.storage_network
    locations = [{"path": one.path, "preferred": one.preferred} for one in export_locations]
    try:
        return manila.source(share.name, locations, storage.cidr if storage else None)
    except ExportLocationError as error:
        raise pulumi.RunError(str(error)) from None
