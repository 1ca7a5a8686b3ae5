"""Neutron mechanism driver: binds every port on a fake host, because fake hosts have no agent."""

from __future__ import annotations

from typing import Any

from neutron_lib import constants
from neutron_lib.api.definitions import portbindings
from neutron_lib.plugins.ml2 import api


class FakeHostDriver(api.MechanismDriver):
    """Binds the ports of hosts named fake*."""

    def initialize(self) -> None:
        pass

    def bind_port(self, context: Any) -> None:
        """Mark the port on a fake host as bound and active."""
        if context.host.startswith("fake") and context.segments_to_bind:
            context.set_binding(
                context.segments_to_bind[0][api.ID],
                portbindings.VIF_TYPE_BRIDGE,
                {portbindings.CAP_PORT_FILTER: True},
                status=constants.PORT_STATUS_ACTIVE,
            )

    def filter_hosts_with_segment_access(
        self,
        context: Any,
        segments: Any,
        candidate_hosts: set[str],
        agent_getter: Any,
    ) -> set[str]:
        """Return all fake hosts: each reaches every network."""
        return {host for host in candidate_hosts if host.startswith("fake")}
