"""The phases of a node, read from the records of engine, cloud-init and idr-apply."""

import json

import pytest

from bench.roles.timeline import PHASES, Applied, Engine, TimelineError, applied, bootstrapped, engine, phases, utc

LOG = """\
2026-01-01T00:00:30Z bundle 4f9ce5a1ad0d: 42 of 42 files change
2026-01-01T00:00:33Z proxy activate: exit 0 after 1.5 s
2026-01-01T00:00:33Z common health: well after 0.5 s
2026-01-01T00:00:40Z proxy health: well after 6.5 s
2026-01-01T00:00:40Z bundle 4f9ce5a1ad0d: applied
2026-01-01T01:00:00Z bundle 20d68ccd5d5f: 1 of 42 files change
2026-01-01T01:00:09Z proxy health: well after 9.0 s
2026-01-01T01:00:09Z bundle 20d68ccd5d5f: applied
"""
ZERO = utc("2026-01-01T00:00:00Z")


def event(kind: str, token: str, timestamp: int, name: str = "demo1-proxy") -> str:
    urn = f"urn:pulumi:local::idr::idr:release:Release${token}::{name}"
    return json.dumps({"timestamp": timestamp, kind: {"metadata": {"urn": urn, "type": token}}})


def test_the_engine_tells_when_a_server_was_asked_for_and_its_configuration_done() -> None:
    server, command = "openstack:compute/instance:Instance", "command:remote:Command"
    events = [
        event("resourcePreEvent", "openstack:networking/port:Port", 1),
        event("resourcePreEvent", server, 2),
        event("resOutputsEvent", server, 3),
        event("resourcePreEvent", command, 4),
        event("resourcePreEvent", server, 5, "demo1-redis"),
        event("resOutputsEvent", command, 6),
        json.dumps({"timestamp": 7, "summaryEvent": {}}),
    ]
    assert engine(events) == {"demo1-proxy": Engine(2, 6)}


def test_only_the_first_bundle_counts_and_its_waits_for_health_add_up() -> None:
    assert applied(LOG) == Applied(ZERO + 30, ZERO + 40, 7.0)


def test_a_bundle_that_was_never_applied_is_an_error() -> None:
    with pytest.raises(TimelineError, match="no bundle that was applied"):
        applied(LOG.splitlines()[0])


def test_cloud_init_that_has_not_ended_is_an_error() -> None:
    assert bootstrapped('{"v1": {"modules-final": {"finished": 12.5}}}') == 12.5
    with pytest.raises(TimelineError, match="has not ended"):
        bootstrapped('{"v1": {"modules-final": {"finished": null}}}')


def test_novas_moments_are_in_utc_too() -> None:
    assert utc("2026-01-01T00:00:01.500000") == ZERO + 1.5


def test_the_phases_add_up_to_the_time_until_ready() -> None:
    taken = phases(100.0, Engine(110, 170), 120.0, 125.0, 128.0, Applied(135, 165, 20.0))
    assert taken == [10, 10, 5, 3, 7, 10, 20, 5]
    assert len(taken) == len(PHASES)


def test_a_moment_noted_in_whole_seconds_is_not_before_the_one_it_follows() -> None:
    taken = phases(100.5, Engine(100, 103), 101.5, 101.9, 102.7, Applied(102, 102, 0.1))
    assert min(taken) >= 0
    assert sum(taken) == pytest.approx(2.5)
