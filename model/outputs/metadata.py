"""A server's metadata in Nova, as IDR's own inventory script reads it (inventories/openstack-idr.py)."""

from collections.abc import Iterable

from model.outputs.groups import groups
from model.plan import Node, Plan

LONGEST_VALUE = 255
"""The most characters of a value in Nova."""


def server_metadata(node: Node, plan: Plan) -> dict[str, str]:
    """Return a server's groups, host name, first network, and whether it is the ssh bastion or reached through it."""
    bastion = node == plan.bastion_node
    result = {
        **_groups(groups(node, plan)),
        "hostname": node.name,
        "ssh_proxy_host": "proxy" if bastion else "required",
    }
    if node.storage_network:
        subnet = plan.scope_of(node).subnet
        # The network of its address in the inventory; the order of the others does not matter.
        result["network_order"] = subnet.existing or plan.cloud_name(subnet.name)
    return result


def _groups(names: Iterable[str]) -> dict[str, str]:
    """Join the names by commas as `groups`; names beyond the limit as `groups2`, and so on."""
    values = [""]
    for name in names:
        longer = f"{values[-1]},{name}" if values[-1] else name
        if len(longer) <= LONGEST_VALUE:
            values[-1] = longer
        else:
            values.append(name)
    return {f"groups{number if number > 1 else ''}": value for number, value in enumerate(values, 1)}
