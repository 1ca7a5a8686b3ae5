"""The deployed version is updated to the present program on real guests, while visitors use it."""

from collections.abc import Callable, Iterator

import pytest

from harness.cloud import tenant
from harness.cloud.asking import THUMBNAIL, answers, asking
from harness.cloud.service import Service
from harness.cloud.tenant import Tenant
from harness.steps import lines_of
from tests import deployed
from tests.soak.test_update_of_every_role import STAYS

pytestmark = pytest.mark.cloud

PROJECT = "idr-deployed"
SECONDS_WITHOUT_ANSWER = 120
"""For pages that no cache has: services restart with a new configuration, and there is one machine of each role."""
SECONDS_OF_NGINX = 2
"""For pages in the proxy's cache: nginx restarts, because its unit has limits now that apply at its start only."""


@pytest.fixture(scope="module")
def stack(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tenant]:
    """Start the stack `local` of the deployed version in another project."""
    assert service.outputs
    new_stack = tenant.make(tmp_path_factory.mktemp("deployed"), PROJECT)
    deployed.put_program(new_stack.folder, deployed.COMMIT)
    new_stack.configure(**{key.replace(":", "_", 1): value for key, value in deployed.settings_of_local().items()})
    with new_stack.running():
        yield new_stack


def test_an_update_keeps_machines_and_data_and_visitors(
    stack: Tenant, record_property: Callable[[str, object], None]
) -> None:
    servers = stack.servers()
    volumes = sorted(stack.listing()["volumes"])
    deployed.put_program(stack.folder)
    foreseen = stack.foreseen()
    assert [str(step) for step in foreseen if step.kind in STAYS and step.op != "update"] == [], lines_of(foreseen)
    service = stack.service()
    with service.browser() as visitor:
        assert answers(visitor, THUMBNAIL)
    with asking(service) as asked, asking(service, THUMBNAIL) as cached:
        stack.apply()
    record_property("seconds without an answer during the update", round(asked.seconds_of_failure, 1))
    record_property("seconds without an answer from the cache", round(cached.seconds_of_failure, 1))
    assert cached.seconds_of_failure < SECONDS_OF_NGINX, cached.failures
    assert asked.seconds_of_failure < SECONDS_WITHOUT_ANSWER, asked.failures
    assert stack.servers() == servers
    assert sorted(stack.listing()["volumes"]) == volumes
    assert stack.foreseen() == ()
