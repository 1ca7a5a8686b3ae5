"""Create what a cloud's administrator creates first: users, endpoints, flavors, the external network, quotas, zones.

Run inside the cloud as `python -m dev.cloud.seed STATE PHASE`. Existing objects are kept.
"""

import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openstack
from openstack.exceptions import SDKException

from dev.cloud import layout
from dev.cloud.layout import Choice, Kind, State

_ENDPOINTS = {
    "glance": ("image", layout.URLS["glance"]),
    "placement": ("placement", layout.URLS["placement"]),
    "nova": ("compute", layout.URLS["nova"] + "/v2.1"),
    "neutron": ("network", layout.URLS["neutron"]),
    "cinder": ("volumev3", layout.URLS["cinder"] + "/v3/%(project_id)s"),
}
_FLAVORS = {  # name: virtual processors, MiB of memory, GiB of disk
    "local.small": (1, 768, 4),
    "local.medium": (2, 2048, 4),
    "local.large": (2, 4096, 4),
    # IDR's own, for fake hosts.
    "m1.medium": (4, 16384, 40),
    "m1.large": (8, 32768, 80),
    "m1.xlarge": (16, 65536, 160),
}
# Large but finite, so that excessive requests are refused. Networks: neutron.conf, for every project.
_COMPUTE_QUOTA = {
    "instances": 100,
    "cores": 1000,
    "ram": 4 << 20,
    "key_pairs": 50,
    "server_groups": 50,
    "server_group_members": 50,
}
_VOLUME_QUOTA = {"volumes": 300, "snapshots": 300, "gigabytes": 1_000_000, "per_volume_gigabytes": 200_000}


def identity(cloud: Any, secrets: dict[str, str]) -> None:
    """Create the services' users and endpoints, and the project `idr` with its member."""
    api = cloud.identity
    roles = {role.name: role.id for role in api.roles()}

    def project(name: str) -> Any:
        return api.find_project(name) or api.create_project(name=name, domain_id="default")

    def user(name: str, inside: Any, granted: tuple[str, ...]) -> None:
        known = {"name": name, "password": secrets[name], "domain_id": "default"}
        account = api.find_user(name) or api.create_user(**known)
        for role in granted:
            api.assign_project_role_to_user(inside.id, account.id, roles[role])

    service = project("service")
    known = {existing.name for existing in api.services()}
    for name, (kind, url) in _ENDPOINTS.items():
        user(name, service, ("admin", "service"))
        if name in known:
            continue
        created = api.create_service(name=name, type=kind)
        for interface in ("public", "internal", "admin"):
            api.create_endpoint(service_id=created.id, interface=interface, url=url, region_id="RegionOne")
    user("idr", project("idr"), ("member",))


def resources(cloud: Any) -> None:
    """Create flavors, the external network and the project's quotas."""
    flavors = {flavor.name for flavor in cloud.compute.flavors()}
    for name, (vcpus, ram, disk) in _FLAVORS.items():
        if name not in flavors:
            cloud.compute.create_flavor(name=name, vcpus=vcpus, ram=ram, disk=disk)
    public = cloud.network.find_network("public") or cloud.network.create_network(
        name="public",
        is_router_external=True,
        provider_network_type="flat",
        provider_physical_network="public",
    )
    if not cloud.network.find_subnet("public"):
        cloud.network.create_subnet(
            name="public",
            network_id=public.id,
            ip_version=4,
            cidr=str(layout.EXTERNAL),
            gateway_ip=layout.ADDRESS,
            enable_dhcp=False,
            allocation_pools=[{"start": layout.FLOATING[0], "end": layout.FLOATING[1]}],
        )
    project = cloud.identity.find_project("idr").id
    cloud.compute.update_quota_set(project, **_COMPUTE_QUOTA)
    cloud.block_storage.update_quota_set(project, **_VOLUME_QUOTA)


def missing(cloud: Any, choice: Choice, since: datetime) -> list[str]:
    """Return agents and services of a ready cloud that have not reported after `since`.

    "Up" means a report in the last minute, possibly from before a `down`: requests to such a service are lost, because
    it does not listen to the bus yet.
    """
    agents = {a.binary for a in cloud.network.agents() if a.is_alive and _after(a.last_heartbeat_at, since)}
    services = [s for s in cloud.compute.services() if s.state == "up" and _after(s.updated_at, since)]
    volumes = [s for s in cloud.block_storage.services() if s.state == "up" and _after(s.updated_at, since)]
    alive = agents | {s.binary for s in (*services, *volumes)}
    hosts = {s.host for s in services if s.binary == "nova-compute"}
    expected = [f"neutron-{name}-agent" for name in ("linuxbridge", "l3", "dhcp", "metadata")]
    expected += ["nova-conductor", "nova-scheduler", "cinder-scheduler", "cinder-volume"]
    computes = [f"nova-compute on {host}" for host in choice.hosts if host not in hosts]
    return [name for name in expected if name not in alive] + computes


def _after(reported: str | None, since: datetime) -> bool:
    """Return whether a report, in one of OpenStack's formats of UTC, is newer than `since`."""
    return reported is not None and datetime.fromisoformat(reported).replace(tzinfo=UTC) > since


def zones(cloud: Any, choice: Choice) -> bool:
    """Add the real host to the availability zone `nova`, the fake ones to `fake`. Return whether all were added."""
    for name in ("nova", "fake"):
        hosts = {host for host in choice.hosts if (host == "local") == (name == "nova")}
        if not hosts:
            continue
        zone = next((aggregate for aggregate in cloud.compute.aggregates() if aggregate.name == name), None)
        zone = zone or cloud.compute.create_aggregate(name=name, availability_zone=name)
        for host in sorted(hosts - set(zone.hosts or [])):
            try:
                cloud.compute.add_host_to_aggregate(zone, host)
            except SDKException:  # the scheduler finds new hosts every few seconds
                return False
    return True


def ready(cloud: Any, choice: Choice, since: datetime, seconds: float = 180) -> None:
    """Wait until agents and computes work; print what is missing.

    Raises SystemExit if they did not work in time.
    """
    end, printed = time.monotonic() + seconds, ""
    while True:
        try:
            pending = missing(cloud, choice, since) or ([] if zones(cloud, choice) else ["the availability zones"])
        except SDKException as error:
            pending = [f"an answer ({str(error).splitlines()[0][:80]})"]
        if not pending:
            return
        if time.monotonic() > end:
            sys.exit(f"still missing after {seconds:.0f} s: {', '.join(pending)}")
        text = "waiting for " + ", ".join(pending)
        if text != printed:
            print(text, flush=True)
            printed = text
        time.sleep(0.5)


def main() -> None:
    """Run the phase named on the command line."""
    state, phase = State(Path(sys.argv[1])), sys.argv[2]
    cloud = openstack.connect(cloud="idr-local-admin")
    if phase == "identity":
        identity(cloud, state.secrets())
    elif phase == "resources":
        resources(cloud)
    else:
        choice = state.choice()
        if choice is None:
            sys.exit("no cloud here")
        ready(cloud, Choice(Kind.NONE, 0) if phase == "agents" else choice, state.started())


if __name__ == "__main__":
    main()
