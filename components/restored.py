"""Puts back, before an `up`, what the engine does not see: servers that are switched off, and their metadata."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pulumi

from components.cloud import setting
from components.preconditions import Live
from idr import started
from idr.cloud import asking, connect
from idr.errors import IdrError
from idr.topology import of_outputs
from model.plan import Plan
from model.replacement import Deployed, replaced
from model.secrets import Secrets

if TYPE_CHECKING:
    from openstack.connection import Connection

START_SECONDS = 300
"""How long a server that was switched off may take to run."""


def restore_servers(plan: Plan, secrets: Secrets, live: Live) -> None:
    """Start the servers that are switched off and wait until their services answer; put back changed metadata.

    The engine sees neither: the provider does not read a server's metadata, and its state says what ran. Left alone are
    servers of a frozen release, and those that the update deletes or replaces. Raises RunError where Nova refuses.
    """
    kept = {node.name for scope in plan.scopes if not scope.frozen for node in scope.nodes}
    kept -= replaced(plan, live.servers)
    changed = {name: one for name, one in live.servers.items() if (one.off or one.changed) and name in kept}
    if not changed:
        return
    try:
        asking(lambda: _restore(connect(setting), changed))
        if plan.settings.configure:
            _wait([name for name, one in changed.items() if one.off], secrets, live)
    except IdrError as error:
        raise pulumi.RunError(str(error)) from None


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
    """Its configuration is unchanged, so the engine would not wait for it."""
    # A stack whose first update did not end has no outputs.
    if not names or "topology" not in live.outputs:
        return
    pulumi.log.info(f"waiting for the services of {', '.join(names)}")
    for name in started.wait(of_outputs(live.outputs), names, secrets.deploy_keys()[0].private):
        # This update may be what repairs it.
        pulumi.log.warn(f"{name} was started and is not healthy: `bin/idr status` says more")
