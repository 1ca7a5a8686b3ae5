"""Leaves out messages of the SDK's that nobody reads."""

import pulumi


def leave_out_debug_messages() -> None:
    """Send none of the SDK's debug messages.

    It sends five about each resource, and waits for the engine to take each, whether or not that was started with
    `--debug`. The engine's own messages (`pulumi preview --debug`, `-v=9 --logtostderr`) name the same resources.
    """
    pulumi.log.debug = _nothing


def _nothing(*_: object, **__: object) -> None:
    """In place of `pulumi.log.debug`."""
