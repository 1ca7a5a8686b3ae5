"""Each machine is deleted, switched off, filled up or loses sshd: `pulumi up` and at most one setting repair it."""

from collections.abc import Callable

import pytest

from harness.cloud.tenant import Tenant
from idr.remote import NO_CONNECTION
from tests.cloud import faults
from tests.cloud.test_data import ROW
from tests.soak import faults_page

pytestmark = pytest.mark.cloud

DATABASE, PROXY, BASTION = "demo1-database", "demo1-proxy", "bastion"
NODES = (BASTION, DATABASE, "demo1-redis", "demo1-omeroreadwrite", PROXY)
OTHERS = ("demo1-omeroreadonly-1", "demo1-management")
"""Nodes of a release of `ebi` that the demo lacks."""


def deleted(stack: Tenant, node: str) -> None:
    stack.cloud().delete_server(f"idr-local-{node}", wait=True, timeout=180)


def switched_off(stack: Tenant, node: str) -> None:
    compute = stack.cloud().compute
    server = compute.get_server(stack.servers()[f"idr-local-{node}"])
    compute.stop_server(server)
    compute.wait_for_server(server, status="SHUTOFF", wait=180)


def disk_full(stack: Tenant, node: str) -> None:
    faults.full(stack.service(), node)()


def without_sshd(stack: Tenant, node: str) -> None:
    # A masked unit has no KillMode, so the session that masks it may end too.
    stack.service().try_on(node, "sudo systemctl mask --now ssh")
    assert stack.service().try_on(node, "true").returncode == NO_CONNECTION


FAULTS: dict[str, tuple[Callable[[Tenant, str], None], bool]] = {
    "deleted": (deleted, False),
    "switched off": (switched_off, False),
    "root disk full": (disk_full, True),
    "sshd dead": (without_sshd, True),
}
"""Each fault of a machine, and whether its repair needs a new number under `rebuild` beside `pulumi up`."""


@pytest.fixture(scope="module")
def stack(second: Tenant) -> Tenant:
    """Return the second project, with a row in its database, which must survive every fault."""
    second.service().on(DATABASE, ROW.format("create table if not exists kept as select 130 as release"))
    return second


def rebuild(stack: Tenant, node: str) -> None:
    """Request another machine, as in "A node died" of the guide."""
    if node == BASTION:
        bastion = stack.settings("bastion")
        stack.configure(idr_bastion={**bastion, "rebuild": bastion.get("rebuild", 1) + 1})
        return
    release, alias = node.split("-", 1)
    releases = stack.settings("releases")
    numbers = releases[release].setdefault("rebuild", {})
    numbers[alias] = numbers.get(alias, 1) + 1
    stack.configure(idr_releases=releases)


@pytest.mark.parametrize("node", NODES)
@pytest.mark.parametrize("what", FAULTS)
def test_the_guides_procedure_heals_a_machine(stack: Tenant, what: str, node: str) -> None:
    heals(stack, what, node)


@pytest.mark.parametrize("node", OTHERS)
@pytest.mark.parametrize("what", FAULTS)
def test_it_heals_a_machine_of_another_role(whole: Tenant, what: str, node: str) -> None:
    whole.service().on(DATABASE, ROW.format("create table if not exists kept as select 130 as release"))
    heals(whole, what, node)


def heals(stack: Tenant, what: str, node: str) -> None:
    """Cause a fault, follow the guide, and check that the service works and the data are kept."""
    fault, is_rebuilt = FAULTS[what]
    volumes = stack.listing()["volumes"]
    with faults.watching(stack.service()) as outage:
        fault(stack, node)
        if is_rebuilt:
            rebuild(stack, node)
        stack.apply()
    assert not outage.ask(stack.service())
    if node != PROXY:
        assert outage.seconds["cached"] == 0
    assert stack.listing()["volumes"] == volumes
    assert stack.service().on(DATABASE, ROW.format("select release from kept")) == "130"
    assert stack.foreseen() == ()
    healed_by = "`rebuild`, `pulumi up`" if is_rebuilt else "`pulumi up`"
    faults_page.note("Machines", f"{node} {what}", healed_by, outage)
