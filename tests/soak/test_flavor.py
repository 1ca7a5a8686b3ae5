"""Another flavor for a machine: it reboots with the new size, and keeps address, root disk and data volume."""

from collections.abc import Callable

import pytest

from harness.cloud.asking import asking
from harness.cloud.tenant import Tenant
from harness.steps import lines_of
from tests.cloud.test_data import ROW

pytestmark = pytest.mark.cloud

DATABASE = "demo1-database"
FLAVOR = "local.medium"


def test_a_machine_with_another_flavor_is_the_same_machine(
    second: Tenant, record_property: Callable[[str, object], None]
) -> None:
    service = second.service()
    service.on(DATABASE, ROW.format("create table if not exists kept as select 130 as release"))
    service.on(DATABASE, "echo 130 | sudo tee /kept")
    before = second.servers()
    releases = second.settings("releases")
    assert releases["demo1"]["nodes"]["database"]["flavor"] != FLAVOR
    releases["demo1"]["nodes"]["database"]["flavor"] = FLAVOR
    second.configure(idr_releases=releases)
    with asking(service) as asked:
        steps = second.apply()
    record_property("seconds of failed requests: another flavor for the database", f"{asked.seconds_of_failure:.1f}")
    assert "update Instance demo1-database" in lines_of(steps)
    assert second.servers() == before
    server = second.cloud().compute.get_server(before[f"idr-local-{DATABASE}"])
    assert (server.status, server.flavor["original_name"]) == ("ACTIVE", FLAVOR)
    assert service.on(DATABASE, "cat /kept") == "130"
    assert service.on(DATABASE, ROW.format("select release from kept")) == "130"
    assert not asked.answers[-1][1]
    assert second.foreseen() == ()
