"""A second, temporary real host: its guests are machines emulated by QEMU.

A container shares this machine's kernel, which may lack what a guest needs (NFS). An emulated machine has a kernel of
its own, and is slow. Both are on the same networks, so a stack can have nodes of both, by `zone`.
"""

import shutil
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import openstack
import yaml
from openstack.exceptions import SDKException

from dev.cloud import control, layout
from dev.cloud.layout import State, write_private
from dev.cloud.process import CloudError
from dev.cloud.render import host_configuration

ZONE = "emulated"
"""The availability zone, which is also the prefix of its host's name."""
_SECONDS = 180
_APART = ("unshare", "--uts", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")


@contextmanager
def host(state: State) -> Iterator[None]:
    """Add the host to the running cloud, and remove it at the end. Its servers must be deleted before.

    Raises CloudError if the cloud is not up, the host does not start, or a killed run has left servers on it.
    """
    auth = yaml.safe_load(state.clouds_yaml.read_text())["clouds"]["idr-local-admin"]["auth"]
    cloud = openstack.connect(load_yaml_config=False, load_envvars=False, auth=auth, region_name="RegionOne")
    _forget(cloud)
    # A new name each time. Nova finds a server's services by the host's name, deleted ones too (nova.db.main.models,
    # `Service.instance`). By the heartbeat of a deleted one the host is down, and no volume is detached: 409.
    host = f"{ZONE}-{time.time_ns()}"
    own = state.run / ZONE
    shutil.rmtree(own, ignore_errors=True)
    for name, text in host_configuration(state, ZONE, host).items():
        write_private(own / f"{name}.conf", text)
    argv = control.mortal(state, [*_APART, str(layout.HERE / "emulated-host"), str(state.root)])
    with (state.log / "emulated-host.log").open("wb") as log:
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        _join_zone(cloud, process, host)
        yield
        _wait_until_empty(cloud)
    finally:
        process.kill()
        process.wait()
        _forget(cloud)


def _join_zone(cloud: Any, process: subprocess.Popen[bytes], host: str) -> None:
    """Add the host to its zone as soon as the scheduler can choose it."""
    zone = next((aggregate for aggregate in cloud.compute.aggregates() if aggregate.name == ZONE), None)
    zone = zone or cloud.compute.create_aggregate(name=ZONE, availability_zone=ZONE)
    end = time.monotonic() + _SECONDS
    while process.poll() is None and time.monotonic() < end:
        time.sleep(2)
        try:
            if _offers(cloud) and any(agent.host == host and agent.is_alive for agent in cloud.network.agents()):
                cloud.compute.add_host_to_aggregate(zone, host)
                return
        except SDKException:  # not found yet
            continue
    raise CloudError("the host of emulated machines does not come, see `logs emulated-nova-compute`")


def _wait_until_empty(cloud: Any) -> None:
    """Wait until the last servers are deleted: Nova reports this a moment before it removes the record."""
    end = time.monotonic() + _SECONDS
    while _servers(cloud):
        if time.monotonic() > end:
            raise CloudError("servers are left on the host of emulated machines; delete them first")
        time.sleep(1)


def _offers(cloud: Any) -> bool:
    """Return whether the host has reported its resources. Before, the scheduler finds no valid host."""
    providers = cloud.placement.resource_providers(name=ZONE)
    return any(list(cloud.placement.resource_provider_inventories(provider)) for provider in providers)


def _forget(cloud: Any) -> None:
    """Remove the host from the tables, also the host of a killed run."""
    if names := ", ".join(_servers(cloud)):
        raise CloudError(f"servers are left on the host of emulated machines: {names}; delete them first")
    for service in _of_host(cloud.compute.services()):
        cloud.compute.delete_service(service)
    for agent in _of_host(cloud.network.agents()):
        cloud.network.delete_agent(agent)


def _servers(cloud: Any) -> list[str]:
    """Return the names of the servers on the host."""
    hosts = {service.host for service in _of_host(cloud.compute.services())}
    lists = (cloud.compute.servers(all_projects=True, details=False, compute_host=host) for host in hosts)
    return [server.name for servers in lists for server in servers]


def _of_host(services: Iterable[Any]) -> list[Any]:
    """Return the services or agents on the host, or on the host of an earlier run."""
    return [service for service in services if service.host.startswith(ZONE)]
