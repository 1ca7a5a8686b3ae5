"""Each link between two nodes cut for a minute: the service is whole again by itself within a minute of its return."""

import time
from itertools import product

import pytest

from harness import stacks
from harness.cloud.tenant import Tenant
from model.firewall import FLOWS
from model.roles import Role
from tests.cloud import faults
from tests.soak import faults_page

pytestmark = pytest.mark.cloud

CUT_SECONDS = 60
HEALED_SECONDS = 60
CALM_SECONDS = 5


def links() -> list[tuple[str, str]]:
    """Every two nodes of the demo's release that talk to each other, once."""
    release = stacks.plan_of("local").releases[0]
    pairs = {
        tuple(sorted((one.name, other.name)))
        for flow in FLOWS
        if isinstance(flow.source, Role) and isinstance(flow.target, Role)
        for one, other in product(release.with_role(flow.source), release.with_role(flow.target))
        if one != other
    }
    return [(one, other) for one, other in sorted(pairs)]


@pytest.mark.parametrize(("one", "other"), links())
def test_after_a_link_was_cut_the_service_heals_by_itself(second: Tenant, one: str, other: str) -> None:
    service = second.service()
    fault = faults.cut(service, one, other, CUT_SECONDS)
    limit = CUT_SECONDS + HEALED_SECONDS
    outage = faults.observe(service, fault, calm=CALM_SECONDS, limit=limit, at_least=CUT_SECONDS + CALM_SECONDS)
    assert outage.seconds["uncached"] > 0, "cutting it hurt nobody: this test proves nothing"
    assert outage.seconds["cached"] == 0
    faults_page.note("Links cut for 60 s", f"{one} and {other}", "nothing", outage)


def test_operators_come_in_again_and_visitors_notice_nothing(second: Tenant) -> None:
    service = second.service()
    nodes = [node for node in service.nodes if node != "bastion"]
    for node in nodes:
        faults.cut(service, node, "bastion", CUT_SECONDS)()
    with faults.watching(service) as outage:
        time.sleep(CUT_SECONDS)
    assert outage.seconds == dict.fromkeys(faults.PAGES, 0.0)
    for node in nodes:
        service.on(node, "true")
    faults_page.note("Links cut for 60 s", "bastion and every node", "nothing", outage)
