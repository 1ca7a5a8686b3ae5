"""The proxy of the stack `local` on loopback, with a test server instead of OMERO.web."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness import proxy, stacks
from model.roles import Role
from tests.unit.frontend import upstream as upstreams
from tests.unit.frontend.clients import Front, fronting

PLAN = stacks.plan_of("local")
WEB = str(PLAN.releases[0].with_role(Role.WEB)[0].address)
THUMBNAIL = "/webgateway/render_thumbnail/1/"
LANDING = "webclient/?experimenter=-1"
PLATE = 384
"""The number of wells of a plate, and of its thumbnails."""


@pytest.fixture
def front(tmp_path: Path) -> Iterator[Front]:
    """Start the proxy with empty caches."""
    with upstreams.running(proxy.certificate(PLAN)) as upstream, fronting(tmp_path, PLAN, upstream) as running_front:
        yield running_front
