"""`idr drift` reports a refresh and the project's list as a list and an exit status."""

import json
from dataclasses import replace
from typing import Any

import pytest
from typer.testing import CliRunner

from harness import stacks
from idr import stack_file
from idr.__main__ import app
from idr.agreement import Agreement
from idr.drift import drifts
from idr.engine import EngineError
from idr.state import KINDS, Resource, State
from model.comparison import CloudObject, Kind, compare, expected

runner = CliRunner()
URN = "urn:pulumi:local::idr::idr:compute:Node$openstack:compute/instance:Instance::demo1-redis"
GROUP_URN = "urn:pulumi:local::idr::idr:firewall:Firewall$openstack:networking/secGroup:SecGroup::demo1-redis"
RULE = "urn:pulumi:local::idr::idr:firewall:Firewall$openstack:networking/secGroupRule:SecGroupRule::bastion-22"
OURS = frozenset({("idr_stack", "local")})
SERVER = CloudObject(Kind.SERVER, "s", "idr-local-demo1-redis", "local", frozenset(), "ACTIVE", OURS)
PORT_URN = "urn:pulumi:local::idr::idr:compute:Node$openstack:networking/port:Port::demo1-redis"
GROUP = CloudObject(Kind.SECURITY_GROUP, "g", "idr-local-demo1-redis", "local")
STATE = State(
    (
        Resource(URN, "openstack:compute/instance:Instance", "s", False, {"metadata": {"idr_stack": "local"}}, {}),
        Resource(GROUP_URN, "openstack:networking/secGroup:SecGroup", "g", False, {}, {}),
    )
)
Told = dict[str, Any]


def output_of(
    monkeypatch: pytest.MonkeyPatch,
    *steps: Told,
    listing: tuple[CloudObject, ...] = (SERVER, GROUP),
    state: State = STATE,
) -> Any:
    plan = expected(stacks.plan_of("local"))
    file = stack_file.StackFile("local", "Pulumi.local.yaml", stacks.settings("local"), {})
    agreement = Agreement("local", listing, state, compare(listing, state.known(), plan))
    monkeypatch.setattr("idr.commands.drift.stack_file.read", lambda _: file)
    monkeypatch.setattr("idr.commands.drift.connect", lambda _: None)
    monkeypatch.setattr("idr.commands.drift.agreement.of", lambda *_: agreement)
    monkeypatch.setattr("idr.engine.backend", lambda: "postgres://state.example.org/pulumi")
    monkeypatch.setattr("idr.engine.run", lambda *_: json.dumps({"steps": steps, "changeSummary": {}}))
    return runner.invoke(app, ["drift", "-s", "local", "--json"])


def step(urn: str, before: Any, now: Any, op: str = "refresh") -> Told:
    return {"op": op, "urn": urn, "oldState": {"outputs": before}, "newState": now and {"outputs": now}}


def test_a_cloud_as_it_was_left_is_exit_status_0(monkeypatch: pytest.MonkeyPatch) -> None:
    done = output_of(monkeypatch, step(URN, {"flavorId": "1"}, {"flavorId": "1"}))
    assert (done.exit_code, json.loads(done.stdout)) == (
        0,
        {"drift": False, "update": None, "resources": []},
    )


def test_an_update_that_is_running_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    done = output_of(monkeypatch, state=State(STATE.resources, pending=("urn:1",)))
    assert done.exit_code == 0
    assert "note: an update of 'local' is running, or was cut off" in done.stderr
    assert "is running" in json.loads(done.stdout)["update"]


def test_what_differs_is_named_with_its_properties(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = (
        step(URN, {"flavorId": "1", "name": "a"}, {"flavorId": "2", "name": "a"}),
        step(RULE, {"port": 22}, None),
    )
    done = output_of(monkeypatch, *steps)
    assert done.exit_code == 1
    assert json.loads(done.stdout)["resources"] == [
        {"name": "bastion-22", "type": "openstack:networking/secGroupRule:SecGroupRule", "change": "deleted",
         "properties": []},
        {"name": "demo1-redis", "type": "openstack:compute/instance:Instance", "change": "changed",
         "properties": ["flavorId"]},
    ]  # one resource a line or two  # fmt: skip


@pytest.mark.parametrize("key", ["updated", "allMetadata", "__pulumi_raw_state_delta"])
def test_what_changes_by_itself_is_no_drift(key: str) -> None:
    assert drifts({"steps": [step(URN, {key: 1}, {key: 2})]}) == []


def test_a_volume_that_somebody_has_grown_is_no_change_to_put_back() -> None:
    volume = "urn:pulumi:local::idr::idr:storage:DataVolume$openstack:blockstorage/volume:Volume::demo1-database-db"
    (drift,) = drifts({"steps": [step(volume, {"size": 1}, {"size": 7})]})
    assert (drift.change, drift.properties) == ("grown", ("size",))


def test_nothing_is_written_in_several_ways() -> None:
    assert drifts({"steps": [step(URN, {"tags": None}, {"tags": []})]}) == []


EXTRA = {
    "a rule opened by hand": CloudObject(
        Kind.RULE, "r", "idr-local-demo1-redis: ingress tcp 6379 0.0.0.0/0", None, frozenset({"g"})
    ),
    "a volume attached by hand": CloudObject(Kind.ATTACHMENT, "s/v", "of mine to s", None, frozenset({"s", "v"})),
    "a port plugged in by hand": CloudObject(Kind.PORT, "p", "mine", None, frozenset({"elsewhere", "s"})),
    "a server of this stack": CloudObject(Kind.SERVER, "t", "idr-local-demo1-redis", "local", frozenset(), "ACTIVE"),
    "a second data volume": CloudObject(Kind.VOLUME, "v", "idr-local-demo1-database-db", "local"),
}


@pytest.mark.parametrize("what", EXTRA)
def test_what_is_there_beside_the_state_is_named(monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    done = output_of(monkeypatch, listing=(SERVER, GROUP, EXTRA[what]))
    (resource,) = json.loads(done.stdout)["resources"]
    assert (done.exit_code, resource["type"]) == (1, EXTRA[what].kind)


@pytest.mark.parametrize(
    ("status", "metadata", "change", "properties"),
    [
        ("SHUTOFF", OURS, "switched off", []),
        ("ERROR", OURS, "in ERROR", []),
        ("SHELVED", OURS, "is SHELVED", []),
        ("ACTIVE", OURS | {("foo", "bar")}, "changed", ["metadata.foo"]),
        ("ACTIVE", set(), "changed", ["metadata.idr_stack"]),
    ],
)
def test_a_server_that_does_not_run_or_has_other_metadata_is_named(
    monkeypatch: pytest.MonkeyPatch,
    status: str,
    metadata: frozenset[tuple[str, str]],
    change: str,
    properties: list[str],
) -> None:
    server = CloudObject(Kind.SERVER, "s", SERVER.name, "local", frozenset(), status, metadata)
    done = output_of(monkeypatch, listing=(server, GROUP))
    resources = json.loads(done.stdout)["resources"]
    assert resources == [{"name": "demo1-redis", "type": "server", "change": change, "properties": properties}]


@pytest.mark.parametrize("groups", [set(), {"default"}, {"g", "default"}])
def test_a_port_in_other_security_groups_is_named(monkeypatch: pytest.MonkeyPatch, groups: set[str]) -> None:
    known = Resource(PORT_URN, "openstack:networking/port:Port", "p", False, {"securityGroupIds": ["g"]}, {})
    state = State((*STATE.resources, known))
    port = CloudObject(Kind.PORT, "p", SERVER.name, "local", frozenset({"n"}), groups=frozenset({"g"}))
    assert output_of(monkeypatch, listing=(SERVER, GROUP, port), state=state).exit_code == 0
    done = output_of(monkeypatch, listing=(SERVER, GROUP, replace(port, groups=frozenset(groups))), state=state)
    assert json.loads(done.stdout)["resources"] == [
        {"name": "demo1-redis", "type": "port", "change": "changed", "properties": ["securityGroups"]}
    ]


def test_what_the_list_does_not_have_is_gone_and_reported_once(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = {"name": "demo1-redis", "type": "security group", "change": "deleted", "properties": []}
    assert json.loads(output_of(monkeypatch, listing=(SERVER,)).stdout)["resources"] == [gone]
    both = output_of(monkeypatch, step(GROUP_URN, {"name": "a"}, None), listing=(SERVER,))
    assert [one["type"] for one in json.loads(both.stdout)["resources"]] == ["openstack:networking/secGroup:SecGroup"]


def test_a_state_of_a_server_that_the_provider_cannot_read_hides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: str) -> str:
        raise EngineError("Invalid power_state for instance s: SUSPENDED")

    output_of(monkeypatch, listing=(replace(SERVER, status="SUSPENDED"), GROUP))
    monkeypatch.setattr("idr.engine.run", refuse)
    done = runner.invoke(app, ["drift", "-s", "local"])
    assert done.exit_code == 1
    assert "is SUSPENDED: `openstack server resume SERVER` ends that" in done.stdout
    assert "note: not all was compared: Invalid power_state" in done.stderr
    output_of(monkeypatch)
    monkeypatch.setattr("idr.engine.run", refuse)
    assert runner.invoke(app, ["drift", "-s", "local"]).stderr == (
        "error: Invalid power_state for instance s: SUSPENDED\n"
    ), "where the list shows nothing, the failure is the answer"


def test_a_stack_that_was_never_deployed_is_not_well(monkeypatch: pytest.MonkeyPatch) -> None:
    done = output_of(monkeypatch, listing=(), state=State(()))
    assert done.exit_code == 1
    assert "never deployed" in done.stderr


def test_for_people_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    output_of(monkeypatch, step(RULE, {"port": 22}, None))
    done = runner.invoke(app, ["drift", "-s", "local"])
    assert "bastion-22" in done.stdout
    assert "bin/idr recover" in done.stdout


HIDDEN: dict[str, tuple[Kind, dict[str, Any], dict[str, Any], dict[str, Any], tuple[str, ...]]] = {
    "a shared network": (Kind.NETWORK, {}, {"shared": False}, {"shared": True, "external": False}, ("shared",)),
    "a network without port security": (Kind.NETWORK, {}, {}, {"portSecurityEnabled": False}, ("portSecurityEnabled",)),
    "a cloud without port security": (Kind.NETWORK, {}, {}, {"portSecurityEnabled": None, "shared": False}, ()),
    "a route of a router": (Kind.ROUTER, {}, {}, {"routes": [{"nexthop": "10.0.0.9"}]}, ("routes",)),
    "a route of a subnet": (Kind.SUBNET, {}, {}, {"hostRoutes": [{"nexthop": "10.0.0.9"}]}, ("hostRoutes",)),
    "no routes": (Kind.ROUTER, {}, {}, {"routes": []}, ()),
    "a group that keeps no states": (Kind.SECURITY_GROUP, {}, {}, {"stateful": False}, ("stateful",)),
    "another address": (
        Kind.PORT,
        {"fixedIps": [{"ipAddress": "10.0.0.7"}]},
        {"allFixedIps": ["10.0.0.9"]},  # what a refresh leaves
        {"allFixedIps": ["10.0.0.9"]},
        ("allFixedIps",),
    ),
    "an address that Neutron chose": (
        Kind.PORT,
        {},
        {"allFixedIps": ["10.0.0.9", "2001:db8::9"]},
        {"allFixedIps": ["10.0.0.9"]},
        (),
    ),
    "another image": (Kind.SERVER, {}, {"imageId": "1"}, {"imageId": "2"}, ("imageId",)),
    "a server that boots from a volume": (Kind.SERVER, {}, {"imageId": "a text"}, {"imageId": None}, ()),
    "another type of a volume": (Kind.VOLUME, {}, {"volumeType": "ssd"}, {"volumeType": "hdd"}, ("volumeType",)),
    "the declared type of a volume": (
        Kind.VOLUME,
        {"volumeType": "hdd"},
        {"volumeType": "ssd"},
        {"volumeType": "hdd"},
        (),
    ),
}
TOKENS = {kind: token for token, kind in KINDS.items()}


@pytest.mark.parametrize("what", HIDDEN)
def test_what_the_engine_does_not_compare_is_named(monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    kind, inputs, outputs, now, names = HIDDEN[what]
    urn = f"urn:pulumi:local::idr::{TOKENS[kind]}::demo1"
    state = State((*STATE.resources, Resource(urn, TOKENS[kind], "h", False, inputs, outputs)))
    status = "ACTIVE" if kind == Kind.SERVER else "available"
    listed = CloudObject(kind, "h", "idr-local-demo1", "local", frozenset(), status, hidden=now)
    done = output_of(monkeypatch, listing=(SERVER, GROUP, listed), state=state)
    found = [one for one in json.loads(done.stdout)["resources"] if one["change"] == "changed by hand"]
    assert [(one["name"], tuple(one["properties"])) for one in found] == ([("demo1", names)] if names else [])
