"""Nova driver: a host whose guests exist in Nova's tables only, and which survives a restart."""

from __future__ import annotations

from typing import Any

from nova.virt import fake


class FakeHost(fake.FakeDriverWithoutFakeNodes):
    """Nova's FakeDriver with an identity kept in `state_path`; the plain one makes a new one at every start."""

    def resume_state_on_host_boot(
        self, context: Any, instance: Any, network_info: Any, block_device_info: Any = None
    ) -> None:
        """Know a guest of an earlier start again."""
        self.spawn(context, instance, None, None, None, None, network_info, block_device_info)
