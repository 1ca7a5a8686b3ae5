"""The requests to Manila, for which stacks, and its answers in the comparisons of plan, cloud and state."""

import os
from collections.abc import Iterator
from typing import Any

import pytest

from harness import stacks
from idr import cloud_state
from idr.cloud import asking, connect
from idr.listing import listing
from idr.recover import leftovers
from model.cloud_state import CloudState, Quota
from model.comparison import CloudObject, Kind
from model.ownership import Labels
from model.plan import Plan
from tests.fake_cloud.cloud import FakeCloud
from tests.fake_cloud.identity import WITH_MANILA
from tests.unit.model.small_clouds import local

PLAN = local({"storage": [{"kind": "share", "name": "raw", "mount": "/uod/idr", "sizeGib": 4}]})
LABELS = Labels("local")


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeCloud]:
    for name in list(os.environ):
        if name.startswith("OS_"):
            monkeypatch.delenv(name)
    with FakeCloud(services=dict(WITH_MANILA)) as cloud:
        for name, value in cloud.environment().items():
            monkeypatch.setenv(name, value)
        yield cloud


def share(fake: FakeCloud, **about: Any) -> str:
    usual = {"name": "idr-local-raw", "metadata": LABELS.metadata(), "status": "available", "size": 3, "locations": []}
    return str(fake.store.add("shares", share_type_name="nfs", **{**usual, **about})["id"])


def rule(fake: FakeCloud, of: str, address: str, state: str = "active") -> str:
    about = {"access_type": "ip", "access_to": address, "access_level": "ro", "state": state}
    return str(fake.store.add("share_rules", share_id=of, **about)["id"])


def state(plan: Plan) -> CloudState:
    return asking(lambda: cloud_state.read(connect(lambda _: None), plan))


def listed(*, shares: bool = True) -> tuple[dict[str, CloudObject], frozenset[Kind]]:
    objects, unlisted = listing(connect(lambda _: None), "local", shares=shares)
    return {one.id: one for one in objects if one.kind in (Kind.SHARE, Kind.ACCESS)}, unlisted


def test_it_is_asked_for_a_stack_with_shares_alone(fake: FakeCloud) -> None:
    fake.limits["share"]["shares"] = 7
    share(fake)
    assert state(stacks.plan_of("local")).has_manila
    assert listed(shares=False) == ({}, frozenset())
    assert not [call for call in fake.calls if "/share/" in call]
    read = state(PLAN)
    assert (read.has_manila, read.share_types) == (True, {"nfs": False})
    assert read.quotas["shares"] == Quota(7, 1)


def test_a_type_is_told_by_what_it_wants(fake: FakeCloud) -> None:
    specs = {"driver_handles_share_servers": "True"}
    fake.store.add("share_types", name="generic", extra_specs=specs, required_extra_specs=specs)
    read = state(PLAN)
    assert (read.share_types, read.default_share_type) == ({"nfs": False, "generic": True}, "nfs")


def test_a_share_is_told_by_its_labels_with_size_and_type(fake: FakeCloud) -> None:
    share(fake, status="error")
    share(fake, metadata={})
    known = [(one.is_own, one.size_gib, one.status, one.type) for one in state(PLAN).shares or ()]
    assert known == [(True, 3, "error", "nfs"), (False, 3, "available", "nfs")]


def test_a_cloud_without_it_does_not_list_shares_and_is_no_proof_of_their_end(fake: FakeCloud) -> None:
    del fake.identity.services["sharev2"]
    assert not state(PLAN).has_manila
    assert listed() == ({}, frozenset({Kind.SHARE, Kind.ACCESS}))


def test_a_cloud_that_does_not_tell_lists_none(fake: FakeCloud) -> None:
    fake.refusals["GET share/shares"] = 403
    assert listed()[1] == {Kind.SHARE, Kind.ACCESS}
    assert [line.partition(":")[0] for line in state(PLAN).unchecked] == ["shares"]


def test_rules_are_listed_that_stay_with_the_port_of_the_node_that_they_let_in(fake: FakeCloud) -> None:
    is_own, other = share(fake), share(fake, metadata={})
    about: dict[str, Any] = {"network_id": "n", "device_owner": "", "device_id": "", "security_groups": []}
    about["project_id"] = connect(lambda _: None).current_project_id
    address = {"fixed_ips": [{"subnet_id": "s", "ip_address": "10.0.0.5"}]}
    ports = [
        fake.store.add("ports", name=name, tags=tags, description="", **about, **address)["id"]
        for name, tags in (("ours", LABELS.tags()), ("others", []))
    ]
    node, machine = rule(fake, is_own, "10.0.0.5"), rule(fake, is_own, "192.0.2.9")
    rule(fake, is_own, "10.0.0.6", state="queued_to_deny")
    rule(fake, other, "10.0.0.5")
    objects, _ = listed()
    assert {one.id: one.parents for one in objects.values() if one.kind == Kind.ACCESS} == {
        f"{is_own}/{node}": {is_own, ports[0]},
        f"{is_own}/{machine}": {is_own, "192.0.2.9"},
    }
    assert [one.stack for one in objects.values() if one.kind == Kind.SHARE] == ["local", None]


def test_recover_waits_for_a_share_that_is_still_created(fake: FakeCloud) -> None:
    created = fake.store.get("shares", share(fake, status="creating"))
    assert created
    one = CloudObject(Kind.SHARE, created["id"], created["name"], "local", frozenset(), created["status"])
    cloud = connect(lambda _: None)
    assert cloud.shared_file_system.get_share(one.id).status == "creating"
    fake.store.later(lambda: created.update(status="available"))
    leftovers.wait_for_creation(cloud, one)
    assert created["status"] == "available"


def test_a_share_that_is_being_deleted_is_not_there(fake: FakeCloud) -> None:
    share(fake, status="deleting")
    assert listed() == ({}, frozenset())
