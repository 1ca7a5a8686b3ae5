"""Services that are killed or hang recover without help, and their node reports it."""

from collections.abc import Callable

import pytest

from harness.cloud.service import Service
from harness.cloud.tenant import Tenant
from tests.cloud import faults

pytestmark = pytest.mark.cloud

CALM_SECONDS = 5
KILLED_SECONDS = 60
FROZEN_SECONDS = 90
UNITS = {
    "nginx": "proxy",
    "postgresql@*": "database",
    "redis-server": "redis",
    "omero-web": "omeroreadwrite",
    "omero-web-tls": "omeroreadwrite",
    "omero-demo-image-server": "omeroreadwrite",
}
KILLED = ("nginx", "postgresql@*", "redis-server")
FROZEN = ("nginx",)
"""Each of the other units takes a minute or more: tests/soak/test_healing.py has all of them."""


@pytest.mark.parametrize("unit", KILLED)
def test_a_killed_service_is_back_within_a_minute(
    second: Tenant, unit: str, record_property: Callable[[str, object], None]
) -> None:
    outage = heals_after_kill(second.service(), unit)
    record_property(f"seconds of failed requests: {unit} killed", _seconds(outage))


@pytest.mark.parametrize("unit", FROZEN)
def test_a_frozen_service_is_restarted_and_the_log_says_why(
    second: Tenant, unit: str, record_property: Callable[[str, object], None]
) -> None:
    outage = heals_after_freeze(second.service(), unit)
    record_property(f"seconds of failed requests: {unit} frozen", _seconds(outage))


def heals_after_kill(service: Service, unit: str) -> faults.Outage:
    """Kill a unit's main process; it recovers within KILLED_SECONDS, and cached pages fail only without nginx."""
    fault = faults.killed(service, service.node(UNITS[unit]), unit)
    outage = faults.observe(service, fault, calm=CALM_SECONDS, limit=KILLED_SECONDS)
    if unit != "nginx":
        assert outage.seconds["cached"] == 0
    _is_active(service, unit)
    return outage


def heals_after_freeze(service: Service, unit: str) -> faults.Outage:
    """Stop all processes of a unit; idr-heal restarts it within FROZEN_SECONDS, logs why and counts it."""
    node = service.node(UNITS[unit])
    fault = faults.frozen(service, node, unit)
    outage = faults.observe(service, fault, calm=CALM_SECONDS, limit=FROZEN_SECONDS)
    assert outage.last > 0, "freezing it hurt nobody: this test proves nothing"
    _is_active(service, unit)
    name = unit.removesuffix("*")
    log = service.on(node, "sudo journalctl --quiet --no-pager --output=cat --unit=idr-heal --since=-5min")
    assert f"{name}: " in log
    address = "https://$(hostname -I | cut -d' ' -f1):9100/metrics"
    metrics = service.on(node, f"curl -sS --cacert /etc/idr/ca.crt {address}")
    assert f'idr_heal_restarts_total{{unit="{name}"}}' in metrics
    return outage


def _seconds(outage: faults.Outage) -> str:
    return ", ".join(f"{kind} {seconds:.1f}" for kind, seconds in outage.seconds.items())


def _is_active(service: Service, unit: str) -> None:
    # A frozen service still answers for some seconds after systemd asks it to stop.
    node = service.node(UNITS[unit])
    ask = f"systemctl show --property=ActiveState --value '{unit}'"
    states = service.on(node, f"for _ in $(seq 30); do {ask} | grep -qvx active || break; sleep 1; done; {ask}")
    assert set(states.split()) == {"active"}
    service.on(node, "for _ in $(seq 30); do sudo idr-apply --status > /dev/null && exit; sleep 1; done; exit 1")
