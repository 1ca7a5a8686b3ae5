"""Each link between two groups of nodes is cut for a minute: all works within a minute of its return."""

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


VISITORS = {("database", "omeroreadonly"), ("omeroreadonly", "proxy"), ("omeroreadonly", "redis")}
"""The links that uncached pages need; the others serve imports, metrics and operators."""


def group(node: str) -> str:
    """Return the group of a node: `demo1-omeroreadonly-2` is of `omeroreadonly`."""
    return node.split("-")[1]


def links() -> list[tuple[str, str]]:
    """Return every two groups of nodes that communicate in a release with every role, once."""
    release = stacks.plan_of("ebi").releases[0]
    pairs = {
        tuple(sorted((group(one.name), group(other.name))))
        for flow in FLOWS
        if isinstance(flow.source, Role) and isinstance(flow.target, Role)
        for one, other in product(release.with_role(flow.source), release.with_role(flow.target))
    }
    return [(one, other) for one, other in sorted(pairs) if one != other]


@pytest.mark.parametrize(("one", "other"), links())
def test_after_a_link_was_cut_the_service_heals_by_itself(whole: Tenant, one: str, other: str) -> None:
    service = whole.service()
    nodes = [node for node in service.nodes if node != "bastion"]

    def fault() -> None:
        for node, peer in product(nodes, nodes):
            if (group(node), group(peer)) == (one, other):
                faults.cut(service, node, peer, CUT_SECONDS)()

    limit = CUT_SECONDS + HEALED_SECONDS
    outage = faults.observe(service, fault, calm=CALM_SECONDS, limit=limit, at_least=CUT_SECONDS + CALM_SECONDS)
    # This proves something only if a cut link that visitors need makes pages fail.
    # Without Redis only a page with a session fails.
    failed = max(outage.seconds["ping"], outage.seconds["uncached"])
    assert (failed > 0) == ((one, other) in VISITORS)
    assert outage.seconds["cached"] == 0
    faults_page.note("Links cut for 60 s, a release of `ebi`", f"{one} and {other}", "nothing", outage)


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
