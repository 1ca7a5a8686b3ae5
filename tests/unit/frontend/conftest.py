"""The proxy of the stack `local` on loopback, before an upstream of this test's own."""

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
"""Wells, and so thumbnails, of a plate."""


@dataclass
class Front:
    """A proxy, what is behind it, and two ways in."""

    nginx: proxy.Nginx
    upstream: upstreams.Upstream
    visitor: httpx.Client
    operator: httpx.Client

    def get(self, path: str, **headers: str) -> httpx.Response:
        """What a visitor without memory gets."""
        self.visitor.cookies.clear()
        return self.visitor.get(path, headers=headers)


@pytest.fixture
def front(tmp_path: Path) -> Iterator[Front]:
    """The proxy with empty caches."""
    with upstreams.running(proxy.certificate(PLAN)) as upstream:
        nginx, trust = proxy.Nginx(tmp_path, {WEB: upstream.address}, trusted="127.0.0.1/32"), proxy.trust(PLAN)
        with (
            proxy.running(nginx, PLAN),
            httpx.Client(base_url=f"https://127.0.0.1:{nginx.https}", verify=trust, timeout=20) as visitor,
            httpx.Client(base_url=f"http://127.0.0.1:{nginx.bypass}", verify=trust, timeout=20) as operator,
        ):
            yield Front(nginx, upstream, visitor, operator)
