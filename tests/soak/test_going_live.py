"""A release goes live, and back, where an authority signs the certificate: the proxy behind the address asks for it."""

from collections.abc import Iterator

import pytest

from harness.cloud import tenant
from harness.cloud.asking import shown
from harness.cloud.service import Service
from harness.cloud.tenant import Tenant
from harness.steps import said
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
def place(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tenant]:
    """Two releases of one machine each, the first of them live."""
    assert service.outputs
    made = tenant.make(tmp_path_factory.mktemp("live"), "idr-live")
    made.configure(idr_releases=RELEASES)
    with made.running():
        yield made


@pytest.fixture(scope="module")
def acme(place: Tenant, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    """An authority that is asked from here on; the service's name leads to its address."""
    names = {HOST: place.service().address("omero")}
    with authority.running(tmp_path_factory.mktemp("authority"), names) as found:
        place.configure(idr_acme={"directory": found.directory, "authority": found.directory_authority})
        place.apply()
        yield found


# In this order.


def test_a_release_that_goes_live_asks_for_the_certificate_itself(place: Tenant, acme: Authority) -> None:
    before = shown(place.service(), acme.root)
    place.configure(idr_live="demo2")
    steps = place.apply()
    changed = {(step.op, step.kind, step.name) for step in steps}
    assert changed == {
        ("update", "FloatingIpAssociate", "public"),
        ("update", "Command", "demo1-all"),
        ("update", "Command", "demo2-all"),
    }, said(steps)
    assert shown(place.service(), acme.root) != before


def test_one_that_goes_live_again_shows_what_it_has(place: Tenant, acme: Authority) -> None:
    place.configure(idr_live="demo1")
    place.apply()
    first = shown(place.service(), acme.root)
    place.configure(idr_live="demo2")
    place.apply()
    second = shown(place.service(), acme.root)
    place.configure(idr_live="demo1")
    place.apply()
    assert (shown(place.service(), acme.root), first != second) == (first, True)
