"""Turns: servers that exist are replaced one after another, while new ones are made all at once."""

import asyncio
from collections.abc import Sequence

import pulumi


class Turns:
    """Lets each server in `names` be replaced only after the one before it works again.

    The dependency is declared in the updates that replace servers, and in no other: as a permanent one it would make
    the first creation of a stack a queue. It is known only after the later nodes are declared, so it is a future.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._previous = dict(zip(names[1:], names, strict=False))
        self._ready: dict[str, asyncio.Future[pulumi.Resource]] = {}

    def before(self, name: str) -> list[pulumi.Input[pulumi.Resource]]:
        """What the server of node `name` must wait for before it is replaced."""
        return [pulumi.Output.from_input(self._future(self._previous[name]))] if name in self._previous else []

    def is_ready(self, name: str, resource: pulumi.Resource) -> None:
        """Note that node `name` works once `resource` is there."""
        self._future(name).set_result(resource)

    def _future(self, name: str) -> "asyncio.Future[pulumi.Resource]":
        if name not in self._ready:
            self._ready[name] = asyncio.get_event_loop().create_future()
        return self._ready[name]
