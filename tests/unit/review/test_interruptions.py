"""The interruptions by an update: machines that are replaced or rebooted, services that restart."""

from typing import Any

import pytest

from idr.review.interruptions import EFFECTS, interruptions
from idr.review.preview import Preview
from idr.review.rules import Change, check
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


def away(*steps: dict[str, Any]) -> list[str]:
    """Return the guard rail's lines on nodes that are interrupted together."""
    change = Change(Preview.model_validate({"steps": [PUBLIC, *steps]}))
    return [breach.text for breach in check(change) if breach.rule == "live-nodes-interrupted"]


def lines_of(*steps: dict[str, Any]) -> list[str]:
    return list(interruptions(Preview.model_validate({"steps": [PUBLIC, *steps]})))


def test_a_replaced_machine_is_named_with_what_fails_and_for_how_long() -> None:
    assert lines_of(server("r1-redis", "redis", "replace", "metadata.rebuild")) == [
        "r1-redis is replaced: pages that are not cached fail for about 60 s"
    ]


def test_another_flavor_is_a_reboot() -> None:
    assert lines_of(server("r1-proxy", "proxy", "update", "flavorName")) == [
        "r1-proxy reboots: every page fails for about 60 s"
    ]


def test_one_of_several_alike_is_replaced_while_the_others_serve() -> None:
    steps = [server("r1-web-1", "omero-readonly,web", "replace"), server("r1-web-2", "omero-readonly,web")]
    assert lines_of(*steps) == ["r1-web-1 is replaced, for about 120 s: requests go to r1-web-2"]


def test_a_service_that_may_restart_is_named_with_what_fails_and_for_how_long() -> None:
    steps = [server("r1-omero", "omero-readwrite,web"), server("r1-proxy", "proxy"), server("r1-redis", "redis")]
    assert lines_of(*steps, *(configured(name) for name in ("r1-omero", "r1-proxy", "r1-redis"))) == [
        "Redis on r1-redis restarts if a setting needs it: pages that are not cached fail for a second",
        "OMERO.server on r1-omero restarts if a setting needs it: pages that are not cached fail, and imports for one "
        "to two minutes",
        "OMERO.web on r1-omero restarts if a setting needs it: pages that are not cached fail for about 30 s",
    ]


def test_services_of_nodes_that_serve_the_same_restart_one_after_another() -> None:
    steps = [
        server("r1-omero", "omero-readwrite,web"),
        server("r1-pages-1", "omero-readonly,web"),
        server("r1-pages-2", "omero-readonly,web"),
    ]
    both = [configured("r1-pages-1"), configured("r1-pages-2")]
    assert lines_of(*steps, *both) == [
        "OMERO.server on r1-pages-1, r1-pages-2 restarts if a setting needs it (one to two minutes each), one node "
        "after another: requests go to the others",
        "OMERO.web on r1-pages-1, r1-pages-2 restarts if a setting needs it (about 30 s each), one node after another: "
        "requests go to the others",
    ]
    assert lines_of(*steps, configured("r1-pages-1"))[0].endswith("(one to two minutes): requests go to r1-pages-2")


def test_a_read_write_node_beside_read_only_ones_interrupts_imports_alone() -> None:
    steps = [server("r1-omero", "omero-readwrite,web"), server("r1-pages", "omero-readonly,web")]
    assert lines_of(*steps, configured("r1-omero")) == [
        "OMERO.server on r1-omero restarts if a setting needs it: imports fail for one to two minutes"
    ]
    steps[0] = server("r1-omero", "omero-readwrite,web", "replace")
    assert lines_of(*steps) == ["r1-omero is replaced: imports fail for about 120 s"]


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
    assert lines_of(step) == []


REDIS = server("r1-redis", "redis", "replace", "metadata.image")
PROXY = server("r1-proxy", "proxy", "update", "flavorName")
BASTION = server("bastion", "bastion", "replace", "metadata.image")


@pytest.mark.parametrize("steps", [(REDIS, PROXY), (BASTION, REDIS), (PROXY, BASTION)])
def test_several_live_nodes_or_the_bastion_with_others_break_a_guard_rail(steps: tuple[dict[str, Any], ...]) -> None:
    (text,) = away(*steps)
    assert "idr review --allow live-nodes-interrupted" in text
    assert all(step["urn"].rsplit("::", 1)[-1] in text for step in steps)


@pytest.mark.parametrize(
    "steps",
    [
        (REDIS,),
        (BASTION,),
        (REDIS, server("r2-proxy", "proxy", "replace")),  # no visitors are there
        (REDIS, server("r1-proxy", "proxy", "update", "metadata.idr_stack")),
        (REDIS, server("r1-omero-2", "web", "create") | {"oldState": None}),
    ],
)
def test_one_live_node_breaks_no_guard_rail(steps: tuple[dict[str, Any], ...]) -> None:
    assert away(*steps) == []


def test_every_role_that_serves_somebody_has_an_effect() -> None:
    assert set(Role) - set(EFFECTS) == {Role.MANAGEMENT}
