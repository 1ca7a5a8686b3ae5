"""Each machine deleted, switched off, with a full disk, without sshd: `pulumi up` and at most one setting heal it."""

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
"""Nodes of a release of `ebi` that the demo's has not."""


def deleted(place: Tenant, node: str) -> None:
    place.cloud().delete_server(f"idr-local-{node}", wait=True, timeout=180)


def switched_off(place: Tenant, node: str) -> None:
    compute = place.cloud().compute
    server = compute.get_server(place.servers()[f"idr-local-{node}"])
    compute.stop_server(server)
    compute.wait_for_server(server, status="SHUTOFF", wait=180)


def disk_full(place: Tenant, node: str) -> None:
    faults.full(place.service(), node)()


def without_sshd(place: Tenant, node: str) -> None:
    # A masked unit has no KillMode, so the session that masks it may end too.
    place.service().try_on(node, "sudo systemctl mask --now ssh")
    assert place.service().try_on(node, "true").returncode == NO_CONNECTION


FAULTS: dict[str, tuple[Callable[[Tenant, str], None], bool]] = {
    "deleted": (deleted, False),
    "switched off": (switched_off, False),
    "root disk full": (disk_full, True),
    "sshd dead": (without_sshd, True),
}
"""What is done to the machine, and whether it needs another number under `rebuild` beside `pulumi up`."""


@pytest.fixture(scope="module")
def place(second: Tenant) -> Tenant:
    """A release with a row in its database, which every machine's end must leave alone."""
    second.service().on(DATABASE, ROW.format("create table if not exists kept as select 130 as release"))
    return second


def rebuild(place: Tenant, node: str) -> None:
    """Ask for another machine, as the guide says under "A node died"."""
    if node == BASTION:
        bastion = place.settings("bastion")
        place.configure(idr_bastion={**bastion, "rebuild": bastion.get("rebuild", 1) + 1})
        return
    release, alias = node.split("-", 1)
    releases = place.settings("releases")
    numbers = releases[release].setdefault("rebuild", {})
    numbers[alias] = numbers.get(alias, 1) + 1
    place.configure(idr_releases=releases)


@pytest.mark.parametrize("node", NODES)
@pytest.mark.parametrize("what", FAULTS)
def test_the_guides_procedure_heals_a_machine(place: Tenant, what: str, node: str) -> None:
    heals(place, what, node)


@pytest.mark.parametrize("node", OTHERS)
@pytest.mark.parametrize("what", FAULTS)
def test_it_heals_a_machine_of_another_role(whole: Tenant, what: str, node: str) -> None:
    whole.service().on(DATABASE, ROW.format("create table if not exists kept as select 130 as release"))
    heals(whole, what, node)


def heals(place: Tenant, what: str, node: str) -> None:
    """Cause a fault, follow the guide, and find the service well and the data kept."""
    fault, is_rebuilt = FAULTS[what]
    volumes = place.listing()["volumes"]
    with faults.watching(place.service()) as outage:
        fault(place, node)
        if is_rebuilt:
            rebuild(place, node)
        place.apply()
    assert not outage.ask(place.service())
    assert outage.seconds["cached"] == 0 or node == PROXY
    assert place.listing()["volumes"] == volumes
    assert place.service().on(DATABASE, ROW.format("select release from kept")) == "130"
    assert place.foreseen() == ()
    healed_by = "`rebuild`, `pulumi up`" if is_rebuilt else "`pulumi up`"
    faults_page.note("Machines", f"{node} {what}", healed_by, outage)
