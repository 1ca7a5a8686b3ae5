"""A server that somebody deleted in the cloud: plain `up` creates it again, with its address and its data."""

from collections.abc import Callable

import pytest

from harness.cloud.asking import asking
from harness.cloud.tenant import Tenant
from harness.steps import lines_of, replaced
from tests.cloud.test_data import ROW

pytestmark = pytest.mark.cloud


@pytest.mark.parametrize("name", ["demo1-database", "demo1-proxy", "bastion"])
def test_plain_up_makes_it_anew(second: Tenant, name: str, record_property: Callable[[str, object], None]) -> None:
    database = "demo1-database"
    second.service().on(database, ROW.format("create table if not exists kept as select 130 as release"))
    before, volumes = second.servers(), second.listing()["volumes"]
    cloud = second.cloud()
    with asking(second.service()) as asked:
        cloud.delete_server(before[f"idr-local-{name}"], wait=True, timeout=180)
        steps = second.apply()
    record_property(f"seconds of failed requests: {name} deleted", f"{asked.seconds_of_failure:.1f}")
    assert replaced(steps, "Instance") == {name}, lines_of(steps)
    now = second.servers()
    assert {one for one in before if now[one] != before[one]} == {f"idr-local-{name}"}
    assert second.listing()["volumes"] == volumes
    assert second.service().on(database, ROW.format("select release from kept")) == "130"
    assert not asked.answers[-1][1]
    assert second.foreseen() == ()
