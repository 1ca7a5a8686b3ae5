"""Suppress debug messages of the SDK."""

import pulumi


def leave_out_debug_messages() -> None:
    """Suppress the SDK's debug messages.

    It sends five for each resource, and waits for the engine to receive each, with or without `--debug`. The engine's
    own messages (`pulumi preview --debug`, `-v=9 --logtostderr`) name the same resources.
    """
    pulumi.log.debug = _nothing


def _nothing(*_: object, **__: object) -> None:
    """Replace `pulumi.log.debug`."""
