"""Firewall: the security groups of a release and their rules."""

from collections.abc import Sequence

import pulumi
import pulumi_openstack as openstack
from pulumi import ResourceOptions

from model.firewall import Rule


class Firewall(pulumi.ComponentResource):
    """Security groups by name, and the ingress rules between them. `ids` maps a group's name to its id.

    `known` are groups of other scopes that rules may name as their source.
    """

    def __init__(
        self,
        scope: str,
        *,
        groups: Sequence[str],
        rules: Sequence[Rule],
        known: dict[str, pulumi.Input[str]],
        prefix: str,
        tags: Sequence[str],
        opts: ResourceOptions | None = None,
    ) -> None:
        super().__init__("idr:firewall:Firewall", scope, None, opts)
        child = ResourceOptions(parent=self, delete_before_replace=True)
        self.ids: dict[str, pulumi.Output[str]] = {
            group: openstack.networking.SecGroup(
                group, name=f"{prefix}-{group}", description=f"IDR {group}", tags=[*tags], opts=child
            ).id
            for group in groups
        }
        sources = {**known, **self.ids}
        for rule in rules:
            openstack.networking.SecGroupRule(
                f"{rule.group}-{rule.port}-from-{rule.source_group or 'world'}",
                security_group_id=self.ids[rule.group],
                direction="ingress",
                ethertype="IPv4",
                protocol="tcp",
                port_range_min=rule.port,
                port_range_max=rule.port,
                remote_group_id=sources[rule.source_group] if rule.source_group else None,
                remote_ip_prefix=rule.source_cidr,
                description=rule.why,
                opts=child,
            )
        self.register_outputs({"ids": self.ids})
