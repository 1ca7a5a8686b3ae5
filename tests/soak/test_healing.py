"""Every service of a release killed and frozen: each recovers without help. `make test` has the quick ones."""

import pytest

from harness.cloud.service import Service
from tests.cloud import faults
from tests.cloud.test_healing import UNITS, heals_after_freeze, heals_after_kill
from tests.soak import faults_page

pytestmark = pytest.mark.cloud


@pytest.mark.parametrize("unit", UNITS)
def test_a_killed_service_is_back_within_a_minute(service: Service, unit: str) -> None:
    outage = heals_after_kill(service, unit)
    faults_page.note("Services", f"{unit} killed", "nothing", outage)


@pytest.mark.parametrize("unit", UNITS)
def test_a_frozen_service_is_back_within_a_minute_and_a_half(service: Service, unit: str) -> None:
    outage = heals_after_freeze(service, unit)
    faults_page.note("Services", f"{unit} frozen", "nothing", outage)


NODE = "demo1-database"
COMMON = ("ssh", "prometheus-node-exporter", "idr-heal")
"""Services of every node. In a container chronyd does not start, and nftables.service has no process."""
SECONDS_TO_HEAL = """
main() {{ systemctl show --property=MainPID --value {unit}; }}
before=$(main)
sudo systemctl kill --kill-whom=main --signal={signal} {unit}
began=$(date +%s)
until [ "$(main)" != "$before" ] && [ "$(main)" != 0 ] && systemctl is-active --quiet {unit}; do sleep 1; done
echo $(($(date +%s) - began))
"""
"""An ssh session outlives the sshd that opened it."""


@pytest.mark.parametrize(("fault", "signal", "seconds"), [("killed", "KILL", 60), ("frozen", "STOP", 90)])
@pytest.mark.parametrize("unit", COMMON)
def test_a_service_of_every_node_is_back_by_itself(
    service: Service, unit: str, fault: str, signal: str, seconds: int
) -> None:
    with faults.watching(service) as outage:
        healed = int(service.on(NODE, SECONDS_TO_HEAL.format(unit=unit, signal=signal)))
    assert healed <= seconds
    assert outage.seconds == dict.fromkeys(faults.PAGES, 0.0)
    service.on(NODE, "true")
    faults_page.note("Services of every node", f"{unit} {fault}", f"nothing: back after {healed} s", outage)


def test_a_restarted_omero_web_is_a_new_one(service: Service) -> None:
    node = service.node("omeroreadwrite")
    running = "sudo cat /opt/omero/web/OMERO.web/var/django.pid"
    before = service.on(node, running)
    service.on(node, "sudo systemctl restart omero-web")
    assert service.try_on(node, f"ps -p {before}").returncode == 1
    service.on(node, f"until {running} && sudo /usr/local/lib/idr/web/health; do sleep 1; done")
    assert service.on(node, running) != before
