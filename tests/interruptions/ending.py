"""Checks the end of an interrupted deployment: the project has exactly the objects in the state, and none twice."""

import json
from collections import Counter
from typing import TYPE_CHECKING

from harness.project import Project
from idr.state import of_export
from model.comparison import Kind

if TYPE_CHECKING:
    from openstack.connection import Connection

STACK = "local"
Holding = dict[str, str]
"""Ids of the objects of a project, with their kind and name."""


def held(cloud: "Connection") -> Holding:
    """Return the objects of the project, without those that every project has."""
    mine = {"project_id": cloud.current_project_id}
    network = cloud.network
    # Neutron creates a network's DHCP port, and deletes it with the network.
    ports = [port for port in network.ports(**mine) if port.device_owner != "network:dhcp"]
    groups = {group.id: group.name for group in network.security_groups(**mine) if group.name != "default"}
    objects = {
        **{one.id: f"{Kind.NETWORK} {one.name}" for one in network.networks(**mine)},
        **{one.id: f"{Kind.SUBNET} {one.name}" for one in network.subnets(**mine)},
        **{one.id: f"{Kind.ROUTER} {one.name}" for one in network.routers(**mine)},
        **{one.id: f"{Kind.FLOATING_IP} {one.description}" for one in network.ips(**mine)},
        **{one.id: f"{Kind.PORT} {one.name} {one.fixed_ips}" for one in ports},
        **{group: f"{Kind.SECURITY_GROUP} {name}" for group, name in groups.items()},
        **{one.id: f"{Kind.SERVER} {one.name}" for one in cloud.compute.servers() if one.status != "DELETED"},
    }
    for rule in network.security_group_rules(**mine):
        if rule.security_group_id in groups:
            objects[rule.id] = f"{Kind.RULE} of {groups[rule.security_group_id]} {rule.id}"
    for volume in cloud.block_storage.volumes():
        objects[volume.id] = f"{Kind.VOLUME} {volume.name}"
        for one in volume.attachments:
            objects[f"{one['server_id']}/{volume.id}"] = f"{Kind.ATTACHMENT} of {volume.name}"
    return objects


def volumes(holding: Holding) -> set[str]:
    """Return the ids of the volumes among a project's objects."""
    return {key for key, name in holding.items() if name.startswith(Kind.VOLUME)}


def known(project: Project) -> set[str]:
    """Return the ids of the objects in the state."""
    export = project.pulumi("stack", "export", "--stack", STACK)
    assert export.returncode == 0, export.stderr
    return {one.id for one in of_export(json.loads(export.stdout)).known()}


def faults(holding: Holding, known_ids: set[str], kept: set[str]) -> list[str]:
    """Return what is wrong at the end, a line each; `kept` are the volumes that must still exist."""
    names = Counter(holding.values())
    return [
        *(f"left over: {holding[key]}" for key in sorted(holding.keys() - known_ids)),
        *(f"the state has what is gone: {key}" for key in sorted(known_ids - holding.keys())),
        *(f"twice: {name}" for name, number in names.items() if number > 1),
        *(f"lost: volume {key}" for key in sorted(kept - volumes(holding))),
    ]
