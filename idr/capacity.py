"""Asks the cloud, before anything is created, whether it can hold the plan."""

from typing import TYPE_CHECKING, Any

import pulumi

from model.capacity import Offer, Quota, shortfalls
from model.plan import Plan
from model.settings import Flavor

if TYPE_CHECKING:
    import openstack

# Pulumi's names of the provider's settings, and openstacksdk's.
PROVIDER_SETTINGS = {
    "authUrl": "auth_url",
    "userName": "username",
    "password": "password",
    "tenantName": "project_name",
    "tenantId": "project_id",
    "userDomainName": "user_domain_name",
    "userDomainId": "user_domain_id",
    "projectDomainName": "project_domain_name",
    "projectDomainId": "project_domain_id",
    "applicationCredentialId": "application_credential_id",
    "applicationCredentialSecret": "application_credential_secret",
}


def require_capacity(plan: Plan) -> None:
    """Refuse an `up` that the cloud cannot carry out, before it has created anything.

    Raises RunError with every shortfall, a line each, or with what is wrong with the credentials. A preview asks
    nothing: it must work for a reviewer who has no credentials.
    """
    if pulumi.runtime.is_dry_run():
        return
    # Slow to import, and not needed by a preview.
    import keystoneauth1.exceptions as auth
    import openstack

    try:
        lines = shortfalls(plan, _offer(_connection(), plan))
    except auth.http.Unauthorized:
        raise pulumi.RunError("the cloud refuses these credentials: check openstack:cloud, or OS_*") from None
    except (auth.ConnectFailure, auth.DiscoveryFailure) as error:
        raise pulumi.RunError(f"the cloud does not answer: {_first_line(error)}") from None
    except (auth.ClientException, openstack.exceptions.SDKException) as error:
        raise pulumi.RunError(f"the cloud cannot be asked what it has: {_first_line(error)}") from None
    if lines:
        raise pulumi.RunError("nothing was created; this cloud lacks:\n" + "\n".join(f"- {line}" for line in lines))


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]


def _connection() -> "openstack.connection.Connection":
    import openstack

    config = pulumi.Config("openstack")
    if cloud := config.get("cloud"):
        return openstack.connect(cloud=cloud)
    given = {sdk: pulumi.runtime.get_config(f"openstack:{name}") for name, sdk in PROVIDER_SETTINGS.items()}
    settings: dict[str, Any] = {name: value for name, value in given.items() if value}
    if "auth_url" in settings:
        return openstack.connect(
            load_yaml_config=False, load_envvars=False, auth=settings, region_name=config.get("region")
        )
    return openstack.connect()


def _offer(cloud: "openstack.connection.Connection", plan: Plan) -> Offer:
    prefix = f"idr-{plan.stack}"
    servers = frozenset(server.name for server in cloud.compute.servers(name=f"^{prefix}-", details=False))
    return Offer(
        images=frozenset(image.name for image in cloud.image.images()),
        flavors={f.name: Flavor(vcpus=f.vcpus, memory_mib=f.ram) for f in cloud.compute.flavors()},
        external_networks=frozenset(n.name for n in cloud.network.networks(is_router_external=True)),
        quotas=_quotas(cloud),
        servers=servers,
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
