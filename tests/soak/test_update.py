"""What is deployed today is updated to the present program on real guests, while visitors ask."""

from collections.abc import Callable, Iterator

import pytest

from harness.cloud import tenant
from harness.cloud.asking import asking
from harness.cloud.service import Service
from harness.cloud.tenant import Tenant
from harness.steps import said
from tests import deployed
from tests.soak.test_update_of_every_role import STAYS

pytestmark = pytest.mark.cloud

PROJECT = "idr-deployed"
SECONDS_WITHOUT_ANSWER = 120
"""Services of one machine restart with a new configuration; there is one of each."""


@pytest.fixture(scope="module")
def place(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tenant]:
    """The stack `local` as the program of today makes it, in a project apart."""
    assert service.outputs
    made = tenant.make(tmp_path_factory.mktemp("deployed"), PROJECT)
    deployed.put_program(made.folder, deployed.COMMIT)
    with made.running():
        yield made


def test_an_update_keeps_machines_and_data_and_visitors(
    place: Tenant, record_property: Callable[[str, object], None]
) -> None:
    servers = place.servers()
    volumes = sorted(place.listing()["volumes"])
    deployed.put_program(place.folder)
    foreseen = place.foreseen()
    assert [str(step) for step in foreseen if step.kind in STAYS and step.op != "update"] == [], said(foreseen)
    with asking(place.service()) as asked:
        place.apply()
    record_property("seconds without an answer during the update", round(asked.seconds_of_failure, 1))
    assert asked.seconds_of_failure < SECONDS_WITHOUT_ANSWER, asked.failures
    assert place.servers() == servers
    assert sorted(place.listing()["volumes"]) == volumes
    assert place.foreseen() == ()
