"""Asks the cloud, before anything is created, whether it can hold the plan."""

from typing import TYPE_CHECKING

import pulumi

from idr.cloud import CloudError, asking, connect
from model.capacity import Offer, Quota, shortfalls
from model.plan import Plan, cloud_prefix
from model.release_settings import Flavor

if TYPE_CHECKING:
    import openstack


def require_capacity(plan: Plan) -> None:
    """Refuse an `up` that the cloud cannot carry out, before it has created anything.

    Raises RunError with every shortfall, a line each, or with what is wrong with the credentials. A preview asks
    nothing: it must work for a reviewer who has no credentials.
    """
    if pulumi.runtime.is_dry_run():
        return
    try:
        offer = asking(lambda: _offer(connect(lambda name: pulumi.runtime.get_config(f"openstack:{name}")), plan))
    except CloudError as error:
        raise pulumi.RunError(str(error)) from None
    if offer.broken:
        raise pulumi.RunError(
            f"these servers never came up: {', '.join(offer.broken)}\n"
            f"Take them away with `python -m idr recover --stack {plan.stack}`, then run `pulumi up` again."
        )
    if lines := shortfalls(plan, offer):
        raise pulumi.RunError("nothing was created; this cloud lacks:\n" + "\n".join(f"- {line}" for line in lines))


def _offer(cloud: "openstack.connection.Connection", plan: Plan) -> Offer:
    prefix = cloud_prefix(plan.stack)
    servers = [server for server in cloud.compute.servers() if server.name.startswith(f"{prefix}-")]
    return Offer(
        images=frozenset(image.name for image in cloud.image.images()),
        flavors={f.name: Flavor(vcpus=f.vcpus, memory_mib=f.ram) for f in cloud.compute.flavors()},
        external_networks=frozenset(n.name for n in cloud.network.networks(is_router_external=True)),
        quotas=_quotas(cloud),
        servers=frozenset(server.name for server in servers),
        broken=tuple(sorted(server.name for server in servers if server.status == "ERROR")),
        volumes=frozenset(volume.name for volume in cloud.block_storage.volumes(details=False)),
        floating_ips=sum(1 for ip in cloud.network.ips() if (ip.description or "").startswith(f"{prefix} ")),
    )


def _quotas(cloud: "openstack.connection.Connection") -> dict[str, Quota]:
    compute = cloud.compute.get_limits().absolute
    storage = cloud.block_storage.get_limits().absolute
    network = cloud.network.get_quota(str(cloud.current_project_id), details=True)
    return {
        "instances": Quota(compute.instances, compute.instances_used),
        "cores": Quota(compute.total_cores, compute.total_cores_used),
        "ram (MiB)": Quota(compute.total_ram, compute.total_ram_used),
        "volumes": Quota(storage.max_total_volumes, storage.total_volumes_used),
        "volume gigabytes": Quota(storage.max_total_volume_gigabytes, storage.total_gigabytes_used),
        "floating IPs": _network_quota(network.floating_ips),
        "ports": _network_quota(network.ports),
    }


def _network_quota(numbers: dict[str, int]) -> Quota:
    return Quota(numbers["limit"], numbers["used"] + numbers.get("reserved", 0))
