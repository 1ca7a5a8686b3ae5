"""Read the cloud's objects in one round of parallel requests. What it does not report is recorded as unchecked."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from idr import cloud_answers, manila, quotas
from idr.cloud import answer_or_refusal
from model.cloud_state import CloudState
from model.plan import Plan
from model.planning import PLACEHOLDER

if TYPE_CHECKING:
    from openstack.connection import Connection

THREADS = 8

Question = Callable[[], Any]


def read(cloud: "Connection", plan: Plan) -> CloudState:
    """Read all objects that the plan may need, and the project's quotas.

    Raises openstacksdk's and keystoneauth's errors if the cloud does not answer at all.
    """
    cloud.authorize()
    questions = _questions(cloud, plan)
    with ThreadPoolExecutor(THREADS) as pool:
        futures = {name: pool.submit(answer_or_refusal, ask) for name, ask in questions.items()}
        answers = {name: future.result() for name, future in futures.items()}
    values = {name: value for name, (value, _) in answers.items()}
    limits = quotas.quotas(values, str(cloud.current_project_id))
    unchecked = [
        f"{name}: not checked, because this cloud does not report it ({why})"
        for name, (_, why) in answers.items()
        if why and name not in quotas.SOURCES
    ]
    return cloud_answers.state(cloud, plan, values, limits, (*unchecked, *quotas.unchecked(values, limits)))


def _questions(cloud: "Connection", plan: Plan) -> dict[str, Question]:
    """Return the requests, by their names in messages. Rarely used objects are requested only for plans with them."""
    compute, network, project = cloud.compute, cloud.network, str(cloud.current_project_id)
    mine = {"project_id": project}
    images = sorted({node.image for node in plan.nodes} - {PLACEHOLDER})
    asked: dict[str, Question] = {
        "servers": lambda: list(compute.servers()),
        "flavors": lambda: list(compute.flavors()),
        "images": lambda: [image for name in images for image in cloud.image.images(name=name)],
        "networks": lambda: list(network.networks()),
        "subnets": lambda: list(network.subnets()),
        "routers": lambda: list(network.routers()),
        "ports": lambda: list(network.ports(**mine)),
        "security groups": lambda: list(network.security_groups(**mine)),
        "floating IPs": lambda: list(network.ips(**mine)),
        "quotas of compute": lambda: quotas.get(compute, "/limits")["limits"]["absolute"],
        "quotas of the network": lambda: quotas.get(network, f"/quotas/{project}/details")["quota"],
        "limits of the network": lambda: quotas.get(network, f"/quotas/{project}")["quota"],
    }
    if any(node.server_group for node in plan.nodes):
        asked["server groups"] = lambda: list(compute.server_groups())
    if plan.settings.keypair:
        asked["key pairs"] = lambda: list(compute.keypairs())
    if any(node.zone for node in plan.nodes):
        asked["availability zones"] = lambda: list(compute.availability_zones())
    asked |= _of_block_storage(cloud, plan) if _needs_volumes(plan) else {}
    return asked | manila.questions(cloud, plan)


def _needs_volumes(plan: Plan) -> bool:
    return any(node.volumes or node.boot_volume_gib for node in plan.nodes)


def _of_block_storage(cloud: "Connection", plan: Plan) -> dict[str, Question]:
    storage: Any = cloud.block_storage
    project = str(cloud.current_project_id)
    volumes = [volume for node in plan.nodes for volume in node.volumes]
    asked: dict[str, Question] = {
        "volumes": lambda: list(storage.volumes()),
        "volume types": lambda: list(storage.types()),
        "default volume type": lambda: quotas.get(storage, "/types/default")["volume_type"]["name"],
        "quotas of block storage": lambda: quotas.get(storage, f"/os-quota-sets/{project}", usage="True")["quota_set"],
        "limits of block storage": lambda: quotas.get(storage, "/limits")["limits"]["absolute"],
    }
    if any(volume.source and volume.source.snapshot for volume in volumes):
        asked["snapshots"] = lambda: list(storage.snapshots())
    if any(node.zone and node.volumes for node in plan.nodes):
        asked["zones of block storage"] = lambda: list(storage.availability_zones())
    return asked
