"""Turns: existing nodes are interrupted one after another, while new ones are created all at once."""

import asyncio
from collections.abc import Iterable
from itertools import pairwise

import pulumi

from model.replacement import Order


class Turns:
    """Makes each server or configuration of `order` depend on the node before it.

    Only updates that need the dependencies declare them: permanent ones would make the first creation of a stack
    sequential. They are known only after the later nodes are declared, so they are futures.
    """

    def __init__(self, order: Order) -> None:
        self._servers = set(pairwise(order.servers))
        self._configurations = {pair for group in order.configurations for pair in pairwise(group)}
        self._deleted = order.deleted
        self._ready: dict[str, asyncio.Future[pulumi.Resource]] = {}

    def deleted_id(self, name: str) -> str | None:
        """Return the id of the node's server if somebody deleted it, otherwise None."""
        return self._deleted.get(name)

    def before_server(self, name: str) -> list[pulumi.Input[pulumi.Resource]]:
        """Return the dependencies for replacing or resizing the server of node `name`."""
        return self._before(name, self._servers)

    def before_configuration(self, name: str) -> list[pulumi.Input[pulumi.Resource]]:
        """Return the dependencies for applying the configuration of node `name`."""
        return self._before(name, self._configurations)

    def is_ready(self, name: str, resource: pulumi.Resource) -> None:
        """Record that node `name` works once `resource` exists."""
        self._future(name).set_result(resource)

    def _before(self, name: str, pairs: Iterable[tuple[str, str]]) -> list[pulumi.Input[pulumi.Resource]]:
        earlier = sorted(before for before, after in pairs if after == name)
        return [pulumi.Output.from_input(self._future(before)) for before in earlier]

    def _future(self, name: str) -> "asyncio.Future[pulumi.Resource]":
        if name not in self._ready:
            self._ready[name] = asyncio.get_running_loop().create_future()
        return self._ready[name]
