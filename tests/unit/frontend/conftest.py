"""The proxy of the stack `local` on loopback, with a test server instead of OMERO.web."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from harness import proxy, stacks
from model.roles import Role
from tests.unit.frontend import upstream as upstreams

PLAN = stacks.plan_of("local")
WEB = str(PLAN.releases[0].with_role(Role.WEB)[0].address)
THUMBNAIL = "/webgateway/render_thumbnail/1/"
LANDING = "webclient/?experimenter=-1"
PLATE = 384
"""The number of wells of a plate, and of its thumbnails."""


@dataclass
class Front:
    """A proxy, the server behind it, and two clients."""

    nginx: proxy.Nginx
    upstream: upstreams.Upstream
    visitor: httpx.Client
    operator: httpx.Client

    def get(self, path: str, **headers: str) -> httpx.Response:
        """Send a request as a visitor without cookies."""
        self.visitor.cookies.clear()
        return self.visitor.get(path, headers=headers)


@pytest.fixture
def front(tmp_path: Path) -> Iterator[Front]:
    """Start the proxy with empty caches."""
    with upstreams.running(proxy.certificate(PLAN)) as upstream:
        nginx, trust = proxy.Nginx(tmp_path, {WEB: upstream.address}, trusted="127.0.0.1/32"), proxy.trust(PLAN)
        with (
            proxy.running(nginx, PLAN),
            httpx.Client(base_url=f"https://127.0.0.1:{nginx.https}", verify=trust, timeout=20) as visitor,
            httpx.Client(base_url=f"http://127.0.0.1:{nginx.bypass}", verify=trust, timeout=20) as operator,
        ):
            yield Front(nginx, upstream, visitor, operator)
