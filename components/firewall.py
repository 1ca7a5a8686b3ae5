"""Firewall: the security groups of a release and their rules."""

import pulumi
import pulumi_openstack as openstack
from pulumi import ResourceOptions

from model.firewall import Rule
from model.ownership import Labels
from model.plan import Plan, Scope


class Firewall(pulumi.ComponentResource):
    """Security groups by name, with their rules. `ids` maps a group's name to its id."""

    def __init__(self, scope: Scope, *, plan: Plan, opts: ResourceOptions | None = None) -> None:
        super().__init__("idr:firewall:Firewall", scope.name, None, opts)
        child = ResourceOptions(parent=self, delete_before_replace=True)
        self.ids: dict[str, pulumi.Output[str]] = {}
        declared: list[openstack.networking.SecGroup] = []
        for group in scope.security_groups:
            labels = Labels(plan.stack, scope.name, (group.removeprefix(f"{scope.name}-"),))
            # One after another: Neutron counts a pending request twice, and the quota of a new project is 10.
            after = ResourceOptions(depends_on=declared[-1:])
            declared.append(
                openstack.networking.SecGroup(
                    group,
                    name=plan.cloud_name(group),
                    description=labels.description(),
                    # Neutron's default rules allow all egress. Here the matrix decides.
                    delete_default_rules=True,
                    tags=labels.tags(),
                    opts=ResourceOptions.merge(child, after),
                )
            )
            self.ids[group] = declared[-1].id
        for rule in scope.rules:
            openstack.networking.SecGroupRule(
                resource_name(rule),
                security_group_id=self.ids[rule.group],
                direction=rule.direction,
                ethertype="IPv4",
                protocol=rule.transport,
                port_range_min=rule.port,
                port_range_max=rule.port,
                remote_group_id=self.ids[rule.remote_group] if rule.remote_group else None,
                remote_ip_prefix=rule.remote_cidr,
                description=rule.why,
                opts=child,
            )
        self.register_outputs({"ids": self.ids})


def resource_name(rule: Rule) -> str:
    """Return the logical name of a rule. It contains all fields, so a changed rule is another resource."""
    word = "from" if rule.direction == "ingress" else "to"
    return f"{rule.group}-{rule.transport}-{rule.port}-{word}-{rule.remote_group or rule.remote_cidr}"
