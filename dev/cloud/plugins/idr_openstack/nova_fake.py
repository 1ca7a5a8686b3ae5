"""Nova driver: a host whose guests exist only in Nova's database. The host survives a restart."""

from __future__ import annotations

from typing import Any

from nova.virt import fake


class FakeHost(fake.FakeDriverWithoutFakeNodes):
    """Nova's FakeDriver with its host identity in `state_path`. The original creates a new identity at every start."""

    def resume_state_on_host_boot(
        self, context: Any, instance: Any, network_info: Any, block_device_info: Any = None
    ) -> None:
        """Add a guest from before the restart."""
        self.spawn(context, instance, None, None, None, None, network_info, block_device_info)
