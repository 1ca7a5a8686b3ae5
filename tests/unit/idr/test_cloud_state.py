"""openstacksdk reads the state of a cloud, to compare the plan with it; missing parts of an answer are no error."""

import os
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from harness import stacks
from idr import cloud_state
from idr.cloud import asking, connect
from model.cloud_report import Report, report
from model.cloud_state import CloudState, Quota
from model.ownership import Labels
from model.plan import Plan
from tests.fake_cloud import contents
from tests.fake_cloud.cloud import FakeCloud
from tests.fake_cloud.identity import PROJECT
from tests.unit.model.small_clouds import local

PLAN = stacks.plan_of("local")
ZONED = local(redis={"zone": "nova"}, database={"zone": "nova"}, proxy={"count": 2})


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeCloud]:
    for name in list(os.environ):
        if name.startswith("OS_"):
            monkeypatch.delenv(name)
    with FakeCloud() as cloud:
        for name, value in cloud.environment().items():
            monkeypatch.setenv(name, value)
        yield cloud


def state(plan: Plan = PLAN) -> CloudState:
    return asking(lambda: cloud_state.read(connect(lambda _: None), plan))


def compared(plan: Plan = PLAN) -> Report:
    return report(plan, state(plan))


def test_a_cloud_that_tells_all_has_everything_and_is_asked_once(fake: FakeCloud) -> None:
    comparison = compared(ZONED)
    assert (comparison.shortfalls, comparison.notices, comparison.unchecked) == ([], [], [])
    lists = [call for call in fake.calls if not call.endswith(("/v2.1", "/v3", "/image", "/network", "/volume/v3"))]
    assert len(lists) == len(set(lists)) <= 21


def test_each_quota_is_read(fake: FakeCloud) -> None:
    fake.limits["volume"] |= {"gigabytes_standard": 7, "volumes_standard": 3, "per_volume_gigabytes": 500}
    known_state = state()
    assert known_state.quotas["cores"] == Quota(100, 0)
    assert known_state.quotas["security groups"] == Quota(20, 1)
    assert known_state.quotas["gigabytes of type 'standard'"] == Quota(7, 0)
    assert (known_state.members, known_state.volume_gib, known_state.default_type) == (10, 500, "standard")


def test_what_the_stack_has_is_known_by_its_labels(fake: FakeCloud) -> None:
    labels = Labels("local", "demo1", ("redis",))
    small = fake.store.all("flavors", name="local.small")[0]
    for name, owner in (("idr-local-demo1-redis", labels), ("idr-local-test-x", Labels("local-test"))):
        is_own = {"name": name, "metadata": owner.metadata()}
        fake.store.add("servers", status="ERROR", flavor_id=small["id"], attached=[], **is_own)
        contents.network(fake.store, name, tags=owner.tags(), description=owner.description())
        fake.store.add("volumes", size=4, status="in-use", volume_type="standard", attachments=[], **is_own)
    known_state = state()
    assert [server.name for server in known_state.servers] == ["idr-local-demo1-redis"]
    assert [(server.flavor, server.vcpus, server.memory_mib) for server in known_state.servers] == [
        ("local.small", 1, 768)
    ]
    assert [network.name for network in known_state.networks or () if network.is_own] == ["idr-local-demo1-redis"]
    volumes = [(volume.name, volume.size_gib) for volume in known_state.volumes or () if volume.is_own]
    assert volumes == [("idr-local-demo1-redis", 4)]


def test_what_has_a_volume_and_where_a_router_leads_is_read(fake: FakeCloud) -> None:
    attachments = [{"server_id": "s9", "volume_id": "v9", "attachment_id": "a9", "device": "/dev/vdb"}]
    fake.store.add("volumes", name="db", metadata={}, size=4, status="in-use", volume_type="x", attachments=attachments)
    router = {"tags": [], "description": "", "project_id": PROJECT}
    fake.store.add("routers", name="out", external_gateway_info={"network_id": "e9"}, **router)
    fake.store.add("routers", name="inside", external_gateway_info=None, **router)
    inside = fake.store.all("routers", name="inside")[0]
    owner = {"device_owner": "network:router_interface", "device_id": inside["id"]}
    fake.store.add("ports", name="", network_id="n", fixed_ips=[], project_id=PROJECT, **owner)
    known_state = state()
    assert [port.router for port in known_state.ports or ()] == [inside["id"]]
    assert [(volume.status, volume.servers) for volume in known_state.volumes or ()] == [("in-use", ("s9",))]
    assert {router.name: router.external for router in known_state.routers or ()} == {"out": "e9", "inside": None}


@pytest.mark.parametrize(
    ("leads_to", "values"),
    [
        ("public", {"description": Labels("local", roles=("public",)).description(), "tags": []}),
        ("bastion", {"description": "", "tags": Labels("local", roles=("bastion",)).tags()}),
        # As versions did before the labels described them.
        ("public", {"description": "idr-local public", "tags": ["idr-stack=local"]}),
        (None, {"description": "idr-local-test public", "tags": ["idr-stack=local-test"]}),
    ],
)
def test_the_stacks_floating_addresses_are_known(fake: FakeCloud, leads_to: str | None, values: dict[str, Any]) -> None:
    address = {"floating_ip_address": "192.0.2.50", "floating_network_id": "e", "port_id": None, "project_id": PROJECT}
    fake.store.add("floatingips", **address, **values)
    (known,) = state().floating_ips or ()
    assert known.leads_to == leads_to


def test_images_that_a_list_leaves_out_are_found_to_say_why(fake: FakeCloud) -> None:
    fake.store.all("images")[0]["os_hidden"] = True
    assert "is hidden" in compared().shortfalls[0]
    fake.store.all("images")[0].update(os_hidden=False, visibility="community")
    assert "is a community image" in compared().shortfalls[0]
    fake.store.all("images")[0]["name"] = "other"
    contents.image(fake.store, "third")
    assert compared().shortfalls[0] == "image 'idr-debian-12' does not exist (available: third)"


def test_an_image_may_have_no_name(fake: FakeCloud) -> None:
    contents.image(fake.store, "third", status="queued")["name"] = None
    assert compared().shortfalls == []
    fake.store.all("images")[0]["name"] = "other"
    assert compared().shortfalls == ["image 'idr-debian-12' does not exist (available: other)"]


# What a cloud refuses or leaves out, and the beginning of the line about it.
LESS: dict[str, tuple[dict[str, int], dict[str, tuple[str, ...]], str]] = {
    "server groups refused": ({"GET compute/os-server-groups": 403}, {}, "server groups: not checked, because"),
    "zones refused": ({"GET compute/os-availability-zone": 403}, {}, "availability zones: not checked, because"),
    "zones of volumes refused": ({"GET volume/os-availability-zone": 403}, {}, "zones of block storage: not checked"),
    "volume types refused": ({"GET volume/types": 403}, {}, "volume types: not checked, because"),
    "images refused": ({"GET image/images": 403}, {}, "images: not checked, because"),
    "routers absent": ({"GET network/routers": 404}, {}, "routers: not checked, because"),
    "security groups absent": ({"GET network/security-groups": 404}, {}, "security groups: not checked, because"),
    "limits of compute refused": (
        {"GET compute/limits": 403},
        {},
        "quotas of instances, cores, ram (MiB), server",
    ),
    "quotas of the network refused": ({"GET network/quotas": 403}, {}, "quotas of networks, subnets, routers, ports"),
    "quotas of volumes refused": (
        {"GET volume/os-quota-sets": 403, "GET volume/limits": 403},
        {},
        "quotas of volumes, volume gigabytes: not checked, because",
    ),
    "no quota of security groups": (
        {},
        {"network": ("security_group", "security_group_rule")},
        "quotas of security groups, security group rules: not checked, because",
    ),
    "no limit of server groups": (
        {},
        {"compute": ("server groups", "server group members")},
        "quotas of server",
    ),
    "no quota of volumes": (
        {},
        {"volume": ("volumes", "per_volume_gigabytes")},
        "quotas of volumes: not checked",
    ),
}


@pytest.mark.parametrize("what", LESS)
def test_what_a_cloud_does_not_tell_is_not_checked_and_named_in_one_line(fake: FakeCloud, what: str) -> None:
    refusals, absent, beginning = LESS[what]
    fake.refusals.update(refusals)
    for service, names in absent.items():
        for name in names:
            del fake.limits[service][name]
    comparison = compared(ZONED)
    assert comparison.shortfalls == []
    (line,) = comparison.unchecked
    assert line.startswith(beginning)
    assert "\n" not in line


@pytest.mark.parametrize("refusal", ["GET network/quotas/details", "GET volume/os-quota-sets"])
def test_of_two_questions_for_the_same_one_is_enough(fake: FakeCloud, refusal: str) -> None:
    path = refusal.replace("quotas/details", f"quotas/{PROJECT}/details")
    # The fake cloud leaves the project out of a path.
    fake.refusals[path.replace(f"{PROJECT}/", "")] = 404
    fake.limits["network"]["security_group"] = 4
    comparison = compared()
    assert comparison.unchecked == []
    assert comparison.shortfalls == ["quota of security groups: 8 more needed, 3 left of 4"]


def test_a_cloud_that_tells_nothing_but_its_servers_is_no_error(fake: FakeCloud) -> None:
    paths = {
        "compute": ("flavors", "limits", "os-"),
        "network": ("networks", "subnets", "routers", "ports", "security-groups", "floatingips", "quotas"),
        "volume": ("volumes", "types", "limits", "os-"),
        "image": ("images",),
    }
    fake.refusals.update({f"GET {service}/{path}": 403 for service, some in paths.items() for path in some})
    comparison = compared(ZONED)
    assert comparison.shortfalls == []
    assert len(comparison.unchecked) > 10


def test_block_storage_is_not_asked_where_no_volume_is_needed(fake: FakeCloud) -> None:
    del fake.services["volumev3"]
    scopes = [replace(s, nodes=tuple(replace(n, volumes=()) for n in s.nodes)) for s in PLAN.releases]
    assert compared(replace(PLAN, releases=tuple(scopes))).shortfalls == []
