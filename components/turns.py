"""Turns: nodes that exist are interrupted one after another, while new ones are created all at once."""

import asyncio
from collections.abc import Iterable
from itertools import pairwise

import pulumi

from model.replacement import Order


class Turns:
    """Lets a server or a configuration of `order` be changed only after the node before it works again.

    The dependencies are declared in the updates that need them, and in no other: permanent ones would make the first
    creation of a stack sequential. They are known only after the later nodes are declared, so they are futures.
    """

    def __init__(self, order: Order) -> None:
        self._servers = set(pairwise(order.servers))
        self._configurations = {pair for group in order.configurations for pair in pairwise(group)}
        self._deleted = order.deleted
        self._ready: dict[str, asyncio.Future[pulumi.Resource]] = {}

    def deleted_id(self, name: str) -> str | None:
        """The id of the server of node `name` that somebody deleted; None where the cloud has it."""
        return self._deleted.get(name)

    def before_server(self, name: str) -> list[pulumi.Input[pulumi.Resource]]:
        """What the server of node `name` must wait for before it is replaced or resized."""
        return self._before(name, self._servers)

    def before_configuration(self, name: str) -> list[pulumi.Input[pulumi.Resource]]:
        """What the configuration of node `name` must wait for before it is applied."""
        return self._before(name, self._configurations)

    def is_ready(self, name: str, resource: pulumi.Resource) -> None:
        """Note that node `name` works once `resource` is there."""
        self._future(name).set_result(resource)

    def _before(self, name: str, pairs: Iterable[tuple[str, str]]) -> list[pulumi.Input[pulumi.Resource]]:
        earlier = sorted(before for before, after in pairs if after == name)
        return [pulumi.Output.from_input(self._future(before)) for before in earlier]

    def _future(self, name: str) -> "asyncio.Future[pulumi.Resource]":
        if name not in self._ready:
            self._ready[name] = asyncio.get_event_loop().create_future()
        return self._ready[name]
