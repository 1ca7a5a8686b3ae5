"""What an update interrupts: machines that are replaced or rebooted, services that restart."""

from typing import Any

import pytest

from idr.review.interruptions import EFFECTS, interruptions
from idr.review.preview import Preview
from model.roles import Role

PREFIX = "urn:pulumi:local::idr::idr:compute:Node$"


def server(name: str, roles: str, op: str = "same", reason: str = "") -> dict[str, Any]:
    state = {"inputs": {"metadata": {"idr_roles": roles}}}
    kind = "update-replace" if op == "replace" else "update"
    return {
        "op": op,
        "urn": f"{PREFIX}openstack:compute/instance:Instance::{name}",
        "oldState": state,
        "newState": state,
        "detailedDiff": {reason: {"kind": kind}} if reason else None,
    }


def configured(name: str) -> dict[str, Any]:
    return {"op": "update", "urn": f"{PREFIX}command:remote:Command::{name}", "oldState": {}, "newState": {}}


PUBLIC = {
    "op": "same",
    "urn": f"{PREFIX}openstack:networking/floatingIpAssociate:FloatingIpAssociate::public",
    "oldState": {"propertyDependencies": {"portId": [f"{PREFIX}x::r1-proxy"]}},
    "newState": {"propertyDependencies": {"portId": [f"{PREFIX}x::r1-proxy"]}},
}


def told(*steps: dict[str, Any]) -> list[str]:
    return list(interruptions(Preview.model_validate({"steps": [PUBLIC, *steps]})))


def test_a_replaced_machine_is_named_with_what_fails_and_for_how_long() -> None:
    assert told(server("r1-redis", "redis", "replace", "metadata.rebuild")) == [
        "r1-redis is replaced: pages that are not cached fail for about 60 s"
    ]


def test_another_flavor_is_a_reboot() -> None:
    assert told(server("r1-proxy", "proxy", "update", "flavorName")) == [
        "r1-proxy reboots: every page fails for about 60 s"
    ]


def test_one_of_several_alike_is_replaced_while_the_others_serve() -> None:
    steps = [server("r1-web-1", "omero-readonly,web", "replace"), server("r1-web-2", "omero-readonly,web")]
    assert told(*steps) == ["r1-web-1 is replaced, for about 120 s: requests go to r1-web-2"]


def test_services_that_may_restart_are_named() -> None:
    steps = [server("r1-omero", "omero-readwrite,web"), server("r1-proxy", "proxy")]
    assert told(*steps, configured("r1-omero"), configured("r1-proxy")) == [
        "on r1-omero a service restarts if a setting needs it: OMERO.web (about 30 s), "
        "OMERO.server (one to two minutes)"
    ]


@pytest.mark.parametrize(
    "step",
    [
        server("r2-proxy", "proxy", "replace"),  # not the live release
        server("r1-proxy", "proxy", "update", "metadata.idr_stack"),
        server("r1-management", "management", "replace"),
    ],
    ids=["another release", "metadata", "management"],
)
def test_what_nobody_notices_is_no_interruption(step: dict[str, Any]) -> None:
    assert told(step) == []


def test_every_role_that_serves_somebody_has_an_effect() -> None:
    assert set(Role) - set(EFFECTS) == {Role.MANAGEMENT}
