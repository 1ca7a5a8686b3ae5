"""Puts back, before an `up`, what the engine does not see: servers that are off, metadata, ports' security groups."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pulumi

from components.preconditions import Live
from idr import started
from idr.cloud import asking
from idr.errors import IdrError
from idr.topology import OutputsError, of_outputs
from model.plan import Plan
from model.replacement import Deployed, replaced
from model.secrets import Secrets

if TYPE_CHECKING:
    from openstack.connection import Connection

START_SECONDS = 300
"""How long a server that was switched off may take to run."""


def restore_servers(plan: Plan, secrets: Secrets, live: Live) -> None:
    """Start the servers that are switched off and wait until their services answer; put back metadata and groups.

    The engine sees none of these: the provider reads neither a server's metadata nor a port's security groups, and its
    state says what ran. This changes no server of a frozen release, and none that the update deletes or replaces; a
    port stays when its server is replaced. Raises RunError where the cloud refuses.
    """
    mine = {node.name for scope in plan.scopes if not scope.frozen for node in scope.nodes}
    kept = mine - replaced(plan, live.servers)
    ports = {name: one for name, one in live.servers.items() if one.groups and name in mine}
    changed = {name: one for name, one in live.servers.items() if (one.off or one.changed) and name in kept}
    if not (ports or changed):
        return
    try:
        asking(lambda: _put_back_groups(live.cloud, ports))
        asking(lambda: _restore(live.cloud, changed))
        off = [name for name, one in changed.items() if one.off]
        if off and plan.settings.configure:
            _wait(off, secrets, live)
    except IdrError as error:
        raise pulumi.RunError(str(error)) from None


def _put_back_groups(cloud: "Connection", changed: Mapping[str, Deployed]) -> None:
    for name, one in changed.items():
        for port, groups in one.groups.items():
            pulumi.log.info(f"server {name}: the security groups of its port were changed and are put back")
            wanted: dict[str, Any] = {"security_groups": list(groups)}
            if groups and cloud.network.get_port(port).is_port_security_enabled is False:
                # Only then: not every cloud knows the attribute.
                wanted["port_security_enabled"] = True
            cloud.network.update_port(port, **wanted)


def _restore(cloud: "Connection", changed: Mapping[str, Deployed]) -> None:
    for name, one in changed.items():
        for key, value in one.changed.items():
            pulumi.log.info(f"server {name}: metadata {key} was changed and is put back")
            if value is None:
                cloud.compute.delete_server_metadata(one.id, [key])
            else:
                cloud.compute.set_server_metadata(one.id, **{key: value})
        if one.off:
            pulumi.log.info(f"server {name} is switched off and is started now")
            cloud.compute.start_server(one.id)
    for one in changed.values():
        if one.off:
            cloud.compute.wait_for_server(cloud.compute.get_server(one.id), wait=START_SECONDS)


def _wait(names: list[str], secrets: Secrets, live: Live) -> None:
    """Wait for the services of these nodes. Their configuration is unchanged, so the engine does not wait for them."""
    try:
        topology = of_outputs(live.outputs)
    except OutputsError:
        # The first update did not end, or another version of this program made the outputs.
        return
    pulumi.log.info(f"waiting for the services of {', '.join(names)}")
    for name in started.wait(topology, names, secrets.deploy_keys()[0].private):
        # This update may be what repairs it.
        pulumi.log.warn(f"{name} was started and is not healthy: `bin/idr status` says more")
