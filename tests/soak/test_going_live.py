"""A release goes live, and back, with a certificate of an authority: the proxy behind the address requests it."""

from collections.abc import Iterator

import pytest

from harness.cloud import tenant
from harness.cloud.asking import shown
from harness.cloud.service import Service
from harness.cloud.tenant import Tenant
from harness.steps import lines_of
from tests.cloud import authority
from tests.cloud.authority import Authority

pytestmark = pytest.mark.cloud

HOST = "demo.idr.internal"
EVERYTHING = {
    "roles": ["database", "redis", "omero-readwrite", "web", "proxy"],
    "flavor": "local.medium",
    "volumes": {"db": {"sizeGib": 1}},
}
RELEASES = {f"demo{n}": {"cidr": f"10.130.{n}.0/24", "nodes": {"all": EVERYTHING}} for n in (1, 2)}


@pytest.fixture(scope="module")
def stack(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tenant]:
    """Start two releases of one machine each, the first of them live."""
    assert service.outputs
    new_stack = tenant.make(tmp_path_factory.mktemp("live"), "idr-live")
    new_stack.configure(idr_releases=RELEASES)
    with new_stack.running():
        yield new_stack


@pytest.fixture(scope="module")
def acme(stack: Tenant, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    """Configure an authority that resolves the service's name."""
    names = {HOST: stack.service().address("omero")}
    with authority.running(tmp_path_factory.mktemp("authority"), names) as running_authority:
        stack.configure(
            idr_acme={"directory": running_authority.directory, "authority": running_authority.directory_authority}
        )
        stack.apply()
        yield running_authority


# In this order.


def test_a_release_that_goes_live_asks_for_the_certificate_itself(stack: Tenant, acme: Authority) -> None:
    before = shown(stack.service(), acme.root)
    stack.configure(idr_live="demo2")
    steps = stack.apply()
    changed = {(step.op, step.kind, step.name) for step in steps}
    assert changed == {
        ("update", "FloatingIpAssociate", "public"),
        ("update", "Command", "demo1-all"),
        ("update", "Command", "demo2-all"),
    }, lines_of(steps)
    assert shown(stack.service(), acme.root) != before


def test_one_that_goes_live_again_shows_what_it_has(stack: Tenant, acme: Authority) -> None:
    stack.configure(idr_live="demo1")
    stack.apply()
    first = shown(stack.service(), acme.root)
    stack.configure(idr_live="demo2")
    stack.apply()
    second = shown(stack.service(), acme.root)
    stack.configure(idr_live="demo1")
    stack.apply()
    assert (shown(stack.service(), acme.root), first != second) == (first, True)
