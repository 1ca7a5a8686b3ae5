"""Manila shares that a stack declares: who may mount them and how, their addresses, and what a cloud refuses."""

from dataclasses import replace
from ipaddress import IPv4Network
from typing import Any

import pytest

from harness import rendered, stacks
from model import shares
from model.capacity import needs
from model.cloud_state import CloudShare, CloudState, Quota
from model.firewall import ANYWHERE
from model.manila import ExportLocationError, source
from model.plan import Plan
from model.planning import plan
from model.prerequisites import absent
from model.reading import Source, parse
from model.roles import OMERO_ROLES, Role
from tests.unit.model.small_clouds import ENOUGH, local

RAW = {"kind": "share", "name": "raw", "mount": "/uod/idr", "sizeGib": 500}
STORAGE = {"storageNetwork": {"name": "storage", "cidr": "10.35.0.0/24"}}


def planned(**others: Any) -> Plan:
    return plan(parse(stacks.values("ebi") | {"storage": [RAW]} | others, Source("ebi", "Pulumi.ebi.yaml")), "ebi")


def test_exactly_the_omero_nodes_are_let_in_and_read_only_ones_to_read() -> None:
    stack_plan = planned()
    expected = {node.name for release in stack_plan.releases for node in release.with_role(*OMERO_ROLES)}
    assert {rule.node.name for rule in shares.accesses(stack_plan)} == expected
    assert {rule.node.name for rule in shares.accesses(stack_plan) if rule.level == "rw"} == {
        node.name for release in stack_plan.releases for node in release.with_role(Role.OMERO_READWRITE)
    }


def test_a_node_that_is_added_is_let_in_and_one_that_goes_is_not() -> None:
    values = stacks.values("ebi")
    nodes = values["releases"]["prod130"]["nodes"]
    before = {rule.name for rule in shares.accesses(planned())}
    nodes["omeroreadonly"]["count"] += 1
    after = {rule.name for rule in shares.accesses(planned(releases=values["releases"]))}
    assert before < after
    assert len(after - before) == 1


@pytest.mark.parametrize(("role", "options"), [(Role.OMERO_READWRITE, "rw,vers=4"), (Role.OMERO_READONLY, "ro,vers=4")])
def test_every_omero_node_mounts_it_where_the_cloud_says(role: Role, options: str) -> None:
    stack_plan = planned(**STORAGE)
    node = next(node for node in stack_plan.nodes if role in node.roles)
    mounts = rendered.files(node, stack_plan, stacks.secrets_of("ebi"))["/usr/local/lib/idr/nfs/mounts"]
    assert f"10.35.0.7:/shares/raw /uod/idr {options}" in mounts.splitlines()


@pytest.mark.parametrize(("others", "there"), [({"storageNetwork": None}, str(ANYWHERE)), (STORAGE, "10.35.0.0/24")])
def test_omero_nodes_alone_reach_the_port_of_nfs_there(others: dict[str, Any], there: str) -> None:
    stack_plan = planned(**others)
    rules = [
        (rule.group, rule.port)
        for rule in stack_plan.releases[0].rules
        if rule.direction == "egress" and rule.remote_cidr == there and rule.port in (111, 2049)
    ]
    assert rules == [(f"prod130-{role}", 2049) for role in sorted(OMERO_ROLES)]


def locations(*paths: str, preferred: int = 0) -> list[dict[str, str]]:
    return [{"path": path, "preferred": str(number == preferred).lower()} for number, path in enumerate(paths)]


FIRST, SECOND, SIX = "10.35.0.7:/shares/a", "10.36.0.7:/shares/a", "[fd00::7]:/shares/a"


@pytest.mark.parametrize(
    ("offered", "storage", "taken"),
    [
        (locations(FIRST), None, FIRST),
        (locations(FIRST, SECOND, preferred=1), None, SECOND),
        (locations(FIRST, SECOND, preferred=1), "10.35.0.0/24", FIRST),
        (locations(SIX, FIRST), None, FIRST),
        (locations("nfs.example.org:/a"), "10.35.0.0/24", "nfs.example.org:/a"),
    ],
)
def test_the_export_location_that_nodes_can_reach_is_taken(
    offered: list[dict[str, str]], storage: str | None, taken: str
) -> None:
    assert source("raw", offered, IPv4Network(storage) if storage else None) == taken


@pytest.mark.parametrize(
    ("offered", "message"),
    [
        ([], r"share 'raw' has no export location .* \(none at all\)"),
        (locations(SIX), "no export location"),
        # The cloud's answer becomes a line of fstab.
        (locations("10.35.0.7:/a b,suid"), "no export location"),
        (locations("10.0.0.1:6789:/volumes/_nogroup/a"), "no export location"),
        (locations(SECOND), r"share 'raw' is at 10.36.0.7:/shares/a, not in storageNetwork.cidr 10.35.0.0/24"),
    ],
)
def test_a_share_that_nodes_cannot_mount_is_told_in_one_line(offered: list[dict[str, str]], message: str) -> None:
    with pytest.raises(ExportLocationError, match=message) as error:
        source("raw", offered, IPv4Network("10.35.0.0/24"))
    assert len(str(error.value).splitlines()) == 1


DECLARED = local({"storage": [{**RAW, "sizeGib": 4, "type": "fast"}]})
MINE = CloudShare("s1", "idr-local-raw", 4, is_own=True, type="fast")
WITH_MANILA = replace(ENOUGH, shares=(), share_types={"fast": False})


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (WITH_MANILA, []),
        (replace(WITH_MANILA, shares=(MINE,)), []),
        (replace(WITH_MANILA, shares=(replace(MINE, size_gib=9, is_own=False),)), []),
        (replace(ENOUGH, has_manila=False), ["no Manila in its catalogue, and storage declares the share 'raw'"]),
        (replace(WITH_MANILA, share_types={"slow": False}), ["share type 'fast' does not exist (available: slow)"]),
        (replace(WITH_MANILA, share_types={"fast": True}), ["share type 'fast' wants a share network"]),
        (replace(WITH_MANILA, share_types={"fast": True}, shares=(MINE,)), []),
        (replace(WITH_MANILA, shares=(replace(MINE, size_gib=9),)), ["has 9 GiB, sizeGib says 4"]),
        (replace(WITH_MANILA, shares=(replace(MINE, type="slow"),)), ["is of the type 'slow', which cannot change"]),
        (replace(WITH_MANILA, shares=(replace(MINE, status="error"),)), ["(s1) has the status 'error'"]),
        # A cloud that does not list them.
        (ENOUGH, []),
    ],
)
def test_what_the_cloud_has_not_or_refuses_is_said(state: CloudState, expected: list[str]) -> None:
    messages = absent(DECLARED, state)
    assert len(messages) == len(expected)
    for message, part in zip(messages, expected, strict=True):
        assert part in message


def test_without_a_type_the_clouds_default_one_counts() -> None:
    plain = local({"storage": [{**RAW, "sizeGib": 4}]})
    state = replace(WITH_MANILA, share_types={"fast": False, "generic": True}, default_share_type="generic")
    assert "share type 'generic' wants a share network" in absent(plain, state)[0]
    assert absent(plain, replace(state, default_share_type="fast")) == []
    assert absent(plain, replace(state, default_share_type=None)) == []


@pytest.mark.parametrize(("there", "more"), [((), (1, 4)), ((replace(MINE, size_gib=3),), (0, 1)), ((MINE,), (0, 0))])
def test_quotas_count_what_is_new_and_what_grows(there: tuple[CloudShare, ...], more: tuple[int, int]) -> None:
    quotas = {"shares": Quota(10, 0), "share gigabytes": Quota(100, 0)}
    more_of = {need.quota: need.more for need in needs(DECLARED, replace(WITH_MANILA, shares=there, quotas=quotas))}
    assert (more_of["shares"], more_of["share gigabytes"]) == more
