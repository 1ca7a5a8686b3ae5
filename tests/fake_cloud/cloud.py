"""The fake cloud as a whole: regions with their objects, quotas, faults, and a record of every call."""

import copy
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

from tests.fake_cloud import contents
from tests.fake_cloud.compute import Compute
from tests.fake_cloud.http import Answer, Call, Server, failure
from tests.fake_cloud.identity import DEFAULT_SERVICES, PROJECT, Identity
from tests.fake_cloud.manila import SharedFileSystems
from tests.fake_cloud.network import Network
from tests.fake_cloud.storage import BlockStorage, Images
from tests.fake_cloud.store import Store

SECRET = "opens the fake cloud"  # noqa: S105  # a test's own
LIMITS = {
    "compute": {"instances": 50, "cores": 100, "ram": 400_000, "server groups": 10, "server group members": 10},
    "volume": {"volumes": 50, "gigabytes": 10_000, "per_volume_gigabytes": -1},
    "share": {"shares": 10, "gigabytes": 1000},
    "network": {
        "network": 10,
        "subnet": 10,
        "router": 10,
        "port": 100,
        "floatingip": 10,
        "security_group": 20,
        "security_group_rule": 500,
    },
}
"""Quotas by service, where all are shown; a test removes what its cloud does not show."""
Service = Callable[[Call], Answer]
Between = Callable[[Call, Service], Answer]
"""A function between a client and the services: it gets a call, and the function that answers it."""


@dataclass
class Region:
    """One region: its objects and its services."""

    store: Store
    services: dict[str, Any]


@dataclass
class FakeCloud:
    """A small OpenStack on loopback that has the image, flavors and networks of the stack `local`.

    `limits` are the quotas that it shows; `refusals` map "METHOD service/path" (its beginning, as "GET
    compute/os-server-groups") to the status that is answered instead. `calls` has every call as "METHOD
    region/interface/service/path"; `between` may change, delay or withhold answers. Use it in a `with`.
    """

    regions: tuple[str, ...] = ("one",)
    limits: dict[str, dict[str, int]] = field(default_factory=lambda: copy.deepcopy(LIMITS))
    services: dict[str, str] = field(default_factory=lambda: dict(DEFAULT_SERVICES))
    refusals: dict[str, int] = field(default_factory=dict)
    tls: ssl.SSLContext | None = None
    calls: list[str] = field(default_factory=list)
    between: Between | None = None

    def __enter__(self) -> Self:
        """Start the server."""
        self._lock = threading.Lock()
        self.identity = Identity(self.regions, self.services, frozenset({SECRET}))
        self._regions = {name: self._region() for name in self.regions}
        self._server = Server(self._pass_on, self.tls)
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the server."""
        self._server.stop()

    @property
    def auth_url(self) -> str:
        """Return the URL of Keystone."""
        return f"{self._server.root}/identity/v3"

    @property
    def root(self) -> str:
        """Return the URL of the server."""
        return self._server.root

    @property
    def store(self) -> Store:
        """Return the objects of the first region."""
        return self._regions[self.regions[0]].store

    def environment(self) -> dict[str, str]:
        """Return the variables with which a client logs in."""
        return {
            "OS_AUTH_URL": self.auth_url,
            "OS_USERNAME": "nina",
            "OS_PASSWORD": SECRET,
            "OS_PROJECT_NAME": "idr",
            "OS_USER_DOMAIN_NAME": "Default",
            "OS_PROJECT_DOMAIN_NAME": "Default",
            "OS_REGION_NAME": self.regions[0],
        }

    def _region(self) -> Region:
        store = Store()
        services: dict[str, Any] = {
            "compute": Compute(store, self.limits["compute"]),
            "network": Network(store, self.limits["network"]),
            "volume": BlockStorage(store, self.limits["volume"]),
            "image": Images(store),
            "share": SharedFileSystems(store, self.limits["share"]),
        }
        contents.furnish(store)
        return Region(store, services)

    def _pass_on(self, call: Call) -> Answer:
        return self.between(call, self._answer) if self.between else self._answer(call)

    def _answer(self, call: Call) -> Answer:
        with self._lock:
            for one in self._regions.values():
                one.store.settle()
            if call.path.startswith("identity"):
                below = call.path.removeprefix("identity").strip("/")
                return self.identity.answer(Call(call.method, call.root, below, call.query, call.headers, call.body))
            region, _, rest = call.path.partition("/")
            _, _, rest = rest.partition("/")
            service, _, path = rest.partition("/")
            self.calls.append(f"{call.method} {call.path}")
            if region not in self._regions or service not in self._regions[region].services:
                return failure(404, f"no {call.path} here")
            asked = f"{call.method} {service}/{self._below(path)}"
            for beginning, status in self.refusals.items():
                if asked.startswith(beginning):
                    return failure(status, f"{asked} is not for you")
            answered: Answer = self._regions[region].services[service].answer(call, path)
            return answered

    @staticmethod
    def _below(path: str) -> str:
        """Return a path without version and project."""
        parts = [part for part in path.split("/") if part not in ("v2.1", "v2.0", "v2", "v3", PROJECT)]
        return "/".join(parts)
