"""Empties a test's project: objects of a killed run would look like another IDR with the same name."""

import openstack

SECONDS = 180


def clear(cloud: "openstack.connection.Connection", admin: "openstack.connection.Connection") -> None:
    """Delete everything in the connection's project, also data volumes.

    The administrator's connection resets volumes of a server whose host no longer exists: Cinder would wait forever.
    """
    for server in cloud.compute.servers():
        cloud.delete_server(server.id, wait=True, timeout=SECONDS)
    for group in cloud.compute.server_groups():
        cloud.compute.delete_server_group(group)
    for keypair in cloud.compute.keypairs():
        cloud.compute.delete_keypair(keypair)
    _clear_network(cloud)
    for snapshot in cloud.block_storage.snapshots():
        cloud.delete_volume_snapshot(snapshot.id, wait=True, timeout=SECONDS)
    for volume in cloud.block_storage.volumes():
        if volume.status == "detaching":
            admin.block_storage.reset_volume_status(volume.id, "available", "detached", None)
        cloud.delete_volume(volume.id, wait=True, timeout=SECONDS)


def _clear_network(cloud: "openstack.connection.Connection") -> None:
    network, project = cloud.network, cloud.current_project_id
    for address in network.ips(project_id=project):
        network.delete_ip(address)
    for router in network.routers(project_id=project):
        for port in network.ports(device_id=router.id, device_owner="network:router_interface"):
            network.remove_interface_from_router(router, port=port.id)
        network.delete_router(router)
    for port in network.ports(project_id=project):
        if not port.device_owner.startswith("network:"):
            network.delete_port(port)
    for item in network.networks(project_id=project):
        network.delete_network(item)
    for group in network.security_groups(project_id=project):
        if group.name != "default":
            network.delete_security_group(group)
