"""Asks the cloud what it has and how much of it is left: at the start of an `up`, and for `idr check`."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pulumi

from idr.cloud import CloudError, asking, connect
from model.capacity import Offer, Quota, is_complete, shortfalls
from model.ownership import Labels, stack_of_metadata
from model.plan import Plan, cloud_prefix
from model.release_settings import Flavor

if TYPE_CHECKING:
    from openstack.connection import Connection

# By openstacksdk's names of Neutron's quotas.
NETWORK_QUOTAS = {
    "networks": "networks",
    "subnets": "subnets",
    "routers": "routers",
    "ports": "ports",
    "floating IPs": "floating_ips",
    "security groups": "security_groups",
    "security group rules": "security_group_rules",
}


def require_capacity(plan: Plan) -> None:
    """Refuse an `up` that the cloud cannot carry out, before it has created anything.

    Raises RunError with every shortfall, a line each, or with what is wrong with the credentials. A preview asks
    nothing: it must work for a reviewer who has no credentials. Where all servers are there, only they are listed.
    """
    if pulumi.runtime.is_dry_run():
        return
    try:
        lines = asking(lambda: _problems(connect(lambda name: pulumi.runtime.get_config(f"openstack:{name}")), plan))
    except CloudError as error:
        raise pulumi.RunError(str(error)) from None
    if lines:
        raise pulumi.RunError("\n".join(lines))


def _problems(cloud: "Connection", plan: Plan) -> list[str]:
    servers = _servers(cloud, plan)
    if is_complete(plan, servers):
        return []
    lines = shortfalls(plan, offer(cloud, plan, servers))
    return ["nothing was created; this cloud lacks:", *(f"- {line}" for line in lines)] if lines else []


def offer(cloud: "Connection", plan: Plan, servers: dict[str, str] | None = None) -> Offer:
    """Everything that the plan may need to be there, and the project's quotas. `servers` has states by names."""
    if servers is None:
        servers = _servers(cloud, plan)
    return Offer(
        flavors={f.name: Flavor(vcpus=f.vcpus, memory_mib=f.ram) for f in cloud.compute.flavors()},
        there=_there(cloud, plan),
        quotas=_quotas(cloud),
        made=_made(cloud, plan, frozenset(servers)),
    )


def _servers(cloud: "Connection", plan: Plan) -> dict[str, str]:
    servers = cloud.compute.servers()
    return {server.name: server.status for server in servers if stack_of_metadata(server.metadata or {}) == plan.stack}


def _there(cloud: "Connection", plan: Plan) -> dict[str, frozenset[str]]:
    """Names by kind. What few stacks name is asked for only where the plan does."""
    volumes = [volume for node in plan.nodes for volume in node.volumes]
    found: dict[str, Callable[[], Any]] = {
        "image": lambda: (image.name for image in cloud.image.images()),
        "external network": lambda: (n.name for n in cloud.network.networks(is_router_external=True)),
    }
    if plan.router:
        found["router"] = lambda: (router.name for router in cloud.network.routers())
    if any(scope.subnet.existing for scope in plan.scopes) or any(node.storage_network for node in plan.nodes):
        found["network"] = lambda: (network.name for network in cloud.network.networks())
    if plan.keypair:
        found["key pair"] = lambda: (key.name for key in cloud.compute.keypairs())
    if plan.floating_ips.public or plan.floating_ips.bastion:
        found["floating IP"] = lambda: (ip.floating_ip_address for ip in cloud.network.ips())
    if any(node.zone for node in plan.nodes):
        found["availability zone"] = lambda: (zone.name for zone in cloud.compute.availability_zones())
    if any(volume.type for volume in volumes):
        found["volume type"] = lambda: (kind.name for kind in cloud.block_storage.types())
    if any(volume.existing or volume.source for volume in volumes):
        found["volume"] = lambda: (volume.id for volume in cloud.block_storage.volumes(details=False))
        found["snapshot"] = lambda: (snapshot.id for snapshot in cloud.block_storage.snapshots(details=False))
    return {kind: frozenset(ask()) for kind, ask in found.items()}


def _made(cloud: "Connection", plan: Plan, servers: frozenset[str]) -> dict[str, frozenset[str]]:
    """Names of what this stack has made, by kind; of a floating IP its description is its name."""
    prefix = cloud_prefix(plan.stack)
    mine = {"project_id": cloud.current_project_id}
    network = cloud.network
    listed: dict[str, Any] = {
        "volumes": (volume.name for volume in cloud.block_storage.volumes(details=False)),
        "networks": (found.name for found in network.networks(**mine)),
        "routers": (found.name for found in network.routers(**mine)),
        "ports": (found.name for found in network.ports(**mine)),
        "security groups": (found.name for found in network.security_groups(**mine)),
        "floating IPs": (_floating_ip_name(plan, found.description) for found in network.ips(**mine)),
        "server groups": (group.name for group in cloud.compute.server_groups()),
    }
    made = {
        kind: frozenset(name for name in names if (name or "").startswith(prefix)) for kind, names in listed.items()
    }
    return {**made, "instances": servers}


def _floating_ip_name(plan: Plan, description: str) -> str:
    """The name of what the plan has an address for; before the labels came, the description was that name."""
    prefix = cloud_prefix(plan.stack)
    roles = {Labels(plan.stack, roles=(role,)).description(): role for role in ("bastion", "public")}
    return f"{prefix} {roles[description]}" if description in roles else description


def _quotas(cloud: "Connection") -> dict[str, Quota]:
    compute = cloud.compute.get_limits().absolute
    storage = cloud.block_storage.get_limits().absolute
    network = cloud.network.get_quota(str(cloud.current_project_id), details=True)
    return {
        "instances": Quota(compute.instances, compute.instances_used),
        "cores": Quota(compute.total_cores, compute.total_cores_used),
        "ram (MiB)": Quota(compute.total_ram, compute.total_ram_used),
        "server groups": Quota(compute.server_groups, compute.server_groups_used),
        "volumes": Quota(storage.max_total_volumes, storage.total_volumes_used),
        "volume gigabytes": Quota(storage.max_total_volume_gigabytes, storage.total_gigabytes_used),
        **{name: _network_quota(network[theirs]) for name, theirs in NETWORK_QUOTAS.items()},
    }


def _network_quota(numbers: dict[str, int]) -> Quota:
    return Quota(numbers["limit"], numbers["used"] + numbers.get("reserved", 0))
