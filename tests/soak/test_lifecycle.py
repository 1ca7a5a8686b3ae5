"""From an empty project to machines and back, and each failure of the first update."""

import sys
from collections.abc import Iterator

import pytest

from harness import stacks
from harness.cloud import tenant
from harness.cloud.service import Service
from harness.cloud.tenant import Tenant
from tests.waiting import wait_until

pytestmark = pytest.mark.cloud

FAKE_ZONE = "fake"
"""Its servers are Nova's fake ones: all of OpenStack takes part except machines."""


@pytest.fixture(scope="module")
def stack(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tenant]:
    """Return an empty project beside the running service."""
    assert service.outputs
    new_stack = tenant.make(tmp_path_factory.mktemp("tenant"))
    yield new_stack
    new_stack.take_down()


def refused(stack: Tenant) -> str:
    """Return the message of a refused `up`, which creates nothing and shows no traceback."""
    done = stack.up()
    text = done.stdout + done.stderr
    assert done.returncode != 0, text
    assert "Traceback" not in text
    assert not any(stack.listing().values()), stack.listing()
    return text


# These tests run in this order on one project: first what fails, then what completes it.


def test_a_missing_image_and_flavor_are_named_together_before_anything_is_created(stack: Tenant) -> None:
    given = stacks.values("local")
    flavors = {**given["flavors"], "no.such": {"vcpus": 1, "memoryMib": 512}}
    stack.configure(
        idr_image="no-such-image", idr_flavors=flavors, idr_bastion={**given["bastion"], "flavor": "no.such"}
    )
    text = refused(stack)
    stack.configure(idr_image="idr-debian-12", idr_flavors=given["flavors"], idr_bastion=given["bastion"])
    assert "image 'no-such-image' does not exist (available: idr-debian-12" in text
    assert "flavor 'no.such' does not exist (available: " in text


def test_an_exhausted_quota_is_named_with_need_and_rest(stack: Tenant) -> None:
    tenant.quota(instances=3)
    text = refused(stack)
    tenant.default_quotas()
    assert "quota of instances: 5 more needed, 3 left of 3" in text


def test_an_unreachable_identity_service_is_one_message(stack: Tenant) -> None:
    stack.configure(openstack_authUrl="http://127.0.0.1:9/v3")
    done = stack.up()
    stack.configure(openstack_authUrl=stack.auth["auth_url"])
    assert done.returncode != 0
    assert "does not answer" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_a_wrong_password_is_one_message(stack: Tenant) -> None:
    stack.set_secret("openstack:password", "wrong")
    done = stack.up()
    stack.set_secret("openstack:password", stack.auth["password"])
    assert done.returncode != 0
    assert "refuses these credentials" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_a_server_that_never_came_up_is_named_and_recover_takes_it_away(stack: Tenant) -> None:
    tenant.quota(ram=100_000)
    cloud = stack.cloud()
    # The quota has room for it and no host has: it ends like a server in a full cloud.
    broken = cloud.compute.create_server(
        name="idr-local-demo1-redis",
        image_id=next(image.id for image in cloud.image.images(name="idr-debian-12")),
        flavor_id=next(flavor.id for flavor in cloud.compute.flavors() if flavor.name == "m1.xlarge"),
        availability_zone="nova",
        networks="none",
        # The program gives its servers this label: an interrupted update created it.
        metadata={"idr_stack": "local"},
    )
    wait_until(lambda: cloud.compute.get_server(broken.id).status == "ERROR", 60, pause=1)
    done = stack.up()
    assert done.returncode != 0
    assert "server idr-local-demo1-redis (" in done.stdout + done.stderr
    recovered = stack.run(sys.executable, "-m", "idr", "recover", "--yes", "--stack", "local")
    assert f"server idr-local-demo1-redis ({broken.id}): deleted" in recovered.stdout, recovered.stderr
    assert stack.listing()["servers"] == []


def test_the_next_up_completes_it(stack: Tenant) -> None:
    # Fake machines suffice: the other tests' stack shows that a first update boots and configures machines.
    given = stacks.values("local")
    releases = given["releases"]
    for group in releases["demo1"]["nodes"].values():
        group["zone"] = FAKE_ZONE
    stack.configure(
        idr_configure=False,
        idr_operators=[stacks.NEW_OPERATOR],
        idr_bastion={**given["bastion"], "zone": FAKE_ZONE},
        idr_releases=releases,
    )
    done = stack.up()
    assert done.returncode == 0, done.stdout + done.stderr
    assert sorted(stack.listing()["volumes"]) == ["idr-local-demo1-database-db"]


def test_destroy_refuses_the_protected_volume_and_touches_nothing(stack: Tenant) -> None:
    before = stack.listing()
    done = stack.pulumi("destroy", "--stack", "local", "--yes")
    text = done.stdout + done.stderr
    assert done.returncode != 0
    assert "demo1-database-db" in text
    assert "protect" in text
    assert stack.listing() == before


def test_after_unprotecting_nothing_is_left(stack: Tenant) -> None:
    assert stack.pulumi("state", "unprotect", "--all", "--yes", "--stack", "local").returncode == 0
    done = stack.pulumi("destroy", "--stack", "local", "--yes", "--skip-preview")
    assert done.returncode == 0, done.stdout + done.stderr
    assert not any(stack.listing().values()), stack.listing()
