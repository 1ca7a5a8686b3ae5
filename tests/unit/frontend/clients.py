"""A running proxy and its clients on loopback."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from harness import proxy
from model.plan import Plan
from model.roles import Role
from tests.unit.frontend.upstream import Upstream

SECONDS = 30


@dataclass
class Front:
    """A proxy, the server behind it, and two clients."""

    nginx: proxy.Nginx
    upstream: Upstream
    visitor: httpx.Client
    operator: httpx.Client

    def get(self, path: str, **headers: str) -> httpx.Response:
        """Send a request as a visitor without cookies."""
        self.visitor.cookies.clear()
        return self.visitor.get(path, headers=headers)


@contextmanager
def visiting(nginx: proxy.Nginx, plan: Plan, headers: Mapping[str, str] | None = None) -> Iterator[httpx.Client]:
    """Run a plan's proxy until the block ends; yields a visitor of it."""
    with (
        proxy.running(nginx, plan),
        httpx.Client(
            base_url=f"https://127.0.0.1:{nginx.https}", verify=proxy.trust(plan), headers=headers, timeout=SECONDS
        ) as visitor,
    ):
        yield visitor


@contextmanager
def fronting(folder: Path, plan: Plan, upstream: Upstream) -> Iterator[Front]:
    """Run a plan's proxy, with empty caches, in front of a server that replaces OMERO.web; loopback is trusted."""
    web = plan.releases[0].with_role(Role.WEB)[0]
    nginx = proxy.Nginx(folder, {str(web.address): upstream.address}, trusted="127.0.0.1/32")
    with (
        visiting(nginx, plan) as visitor,
        httpx.Client(base_url=f"http://127.0.0.1:{nginx.bypass}", timeout=SECONDS) as operator,
    ):
        yield Front(nginx, upstream, visitor, operator)
