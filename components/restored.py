"""Restore, before an `up`, what the engine does not see: stopped servers, metadata, ports' security groups."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pulumi

from components.preconditions import Live
from idr import started
from idr.cloud import asking
from idr.errors import IdrError
from idr.topology import OutputsError, of_outputs
from model.plan import Plan
from model.replacement import DeployedServer, replaced
from model.secrets import Secrets

if TYPE_CHECKING:
    from openstack.connection import Connection

START_SECONDS = 300
"""The time-out for starting a server."""


def restore_servers(plan: Plan, secrets: Secrets, live: Live) -> None:
    """Start servers that are switched off and wait until their services answer; restore metadata and groups.

    The engine sees no such change: the provider reads neither a server's metadata nor a port's security groups, nor
    whether a server runs. Servers of frozen releases, and those that the update deletes or replaces, are skipped; a
    port stays when its server is replaced. Raises RunError if the cloud refuses.
    """
    changeable = {node.name for scope in plan.scopes if not scope.frozen for node in scope.nodes}
    kept = changeable - replaced(plan, live.servers)
    ports = {name: one for name, one in live.servers.items() if one.groups and name in changeable}
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


def _put_back_groups(cloud: "Connection", changed: Mapping[str, DeployedServer]) -> None:
    for name, one in changed.items():
        for port, groups in one.groups.items():
            pulumi.log.info(f"server {name}: the security groups of its port were changed and are put back")
            properties: dict[str, Any] = {"security_groups": list(groups)}
            if groups and cloud.network.get_port(port).is_port_security_enabled is False:
                # Only if needed: not every cloud has the attribute.
                properties["port_security_enabled"] = True
            cloud.network.update_port(port, **properties)


def _restore(cloud: "Connection", changed: Mapping[str, DeployedServer]) -> None:
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
        # The first update did not end, or the outputs are of another version.
        return
    pulumi.log.info(f"waiting for the services of {', '.join(names)}")
    for name in started.wait(topology, names, secrets.deploy_keys()[0].private):
        # This update may repair it.
        pulumi.log.warn(f"{name} was started and is not healthy: `bin/idr status` says more")
