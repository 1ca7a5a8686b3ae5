"""Every service of a release killed and frozen: each is back by itself. `make test` has the quick ones."""

import pytest

from harness.cloud.service import Service
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


def test_a_restarted_omero_web_is_a_new_one(service: Service) -> None:
    node = service.node("omeroreadwrite")
    running = "sudo cat /opt/omero/web/OMERO.web/var/django.pid"
    before = service.on(node, running)
    service.on(node, "sudo systemctl restart omero-web")
    assert service.try_on(node, f"ps -p {before}").returncode == 1
    service.on(node, f"until {running} && sudo /usr/local/lib/idr/web/health; do sleep 1; done")
    assert service.on(node, running) != before
