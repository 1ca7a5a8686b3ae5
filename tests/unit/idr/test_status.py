"""`idr status`: what counts as a problem, and the exit status."""

import json
import re
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cloudinit import render
from cloudinit.templates import RenderError
from harness import stacks
from idr import stack_file
from idr.__main__ import app
from idr.cloud import CloudError
from idr.errors import IdrError
from idr.outputs import Deployed
from idr.status import nodes, outside
from idr.status.command import digests
from model.outputs import contract
from model.outputs.topology import Known, Topology
from model.reading import Source, parse
from model.roles import Role
from tests import stubs
from tests.fake_cloud.cloud import FakeCloud
from tests.fake_cloud.http import Answer, Server
from tests.fake_cloud.identity import PROJECT

runner = CliRunner()
OUTPUTS = contract.outputs(
    stacks.plan_of("local"), stacks.secrets_of("local"), Known(public="192.0.2.10", bastion="192.0.2.11")
)
TOPOLOGY = Topology.model_validate(OUTPUTS["topology"])
WELL: dict[str, Any] = {
    "bootstrap": "done",
    "applied": {"digest": "abc", "healthy": {"common": True, "redis": True}},
    "disks": [{"mount": "/", "size": 100, "free": 50, "percent": 50}],
    "versions": {"system": "Debian GNU/Linux 12", "redis-server": "7.0"},
}


def answering(
    monkeypatch: pytest.MonkeyPatch,
    answer: dict[str, Any] | str,
    expected: str | None = "abc",
    *,
    servers: dict[str, str] | None = None,
    configured: bool = True,
) -> list[nodes.Status]:
    """Return the status of the nodes if each gives this answer, and the public address answers."""
    parsed = answer if isinstance(answer, str) else nodes.Answer.model_validate(answer)
    monkeypatch.setattr(nodes, "_ask", lambda *_: parsed)
    visited = outside.Public(url="https://192.0.2.10/", answers=True, text="status 200 in 0.1 s")
    monkeypatch.setattr(outside, "public", lambda *_: visited)
    answers = nodes.ask_all(TOPOLOGY, Path("config"), lambda: None)
    by_node = {node.name: expected for node in TOPOLOGY.nodes if expected}
    return nodes.judged(answers, by_node, servers or {}, configured=configured)


def test_a_node_that_is_well_has_no_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    statuses = answering(monkeypatch, WELL)
    assert [status.node for status in statuses] == [node.name for node in TOPOLOGY.nodes]
    assert all(status.problems == () and status.configuration == "current" for status in statuses)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"bootstrap": "error"}, "bootstrap is 'error', not done"),
        ({"applied": {"digest": "old", "healthy": {}}}, "its configuration differs"),
        ({"applied": {}}, "no configuration was applied"),
        ({"applied": None}, "idr-apply --status gives no result"),
        ({"applied": {"digest": "abc", "slow": ["redis"]}}, "role redis is slow"),
        ({"applied": {"digest": "abc", "healthy": {"redis": False}}}, "role redis is not healthy"),
        ({"disks": [{"mount": "/data", "size": 100, "free": 5, "percent": 95}]}, "/data is 95 % full"),
    ],
)
def test_each_problem_is_named(monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], problem: str) -> None:
    status = answering(monkeypatch, {**WELL, **change})[0]
    assert len(status.problems) == 1
    assert status.problems[0].startswith(problem)


@pytest.mark.parametrize(
    ("patches", "notices"),
    [
        (None, ()),
        ({"reboot": False, "services": []}, ()),
        ({"reboot": True, "services": []}, ("reboot required",)),
        (
            {"reboot": False, "services": ["nginx", "omero-web"]},
            ("services to restart after an upgrade: nginx, omero-web",),
        ),
    ],
)
def test_what_an_upgrade_still_needs_is_a_notice_and_no_problem(
    monkeypatch: pytest.MonkeyPatch, patches: dict[str, Any] | None, notices: tuple[str, ...]
) -> None:
    status = answering(monkeypatch, {**WELL, "patches": patches})[0]
    assert (status.notices, status.problems) == (notices, ())


def test_a_node_that_cannot_be_reached_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    statuses = answering(monkeypatch, "Connection refused")
    bastion = next(status for status in statuses if status.node == TOPOLOGY.bastion.name)
    assert (bastion.reachable, bastion.problems) == (False, ("not reachable: Connection refused",))
    others = [status for status in statuses if status is not bastion]
    assert {status.problems for status in others} == {("not reachable: no connection through the bastion",)}


def test_a_server_that_does_not_run_is_a_problem_of_its_node(monkeypatch: pytest.MonkeyPatch) -> None:
    servers = {node.name: "ACTIVE" for node in TOPOLOGY.nodes} | {"demo1-redis": "SHUTOFF"}
    statuses = {status.node: status for status in answering(monkeypatch, WELL, servers=servers)}
    assert (statuses["demo1-redis"].server, statuses["demo1-redis"].problems) == (
        "SHUTOFF",
        ("its server is SHUTOFF in Nova",),
    )
    assert statuses["demo1-proxy"].problems == ()


@pytest.mark.parametrize("applied", [None, {}, {"digest": "of another tool"}])
def test_where_another_tool_configures_the_nodes_nothing_is_expected_of_it(
    monkeypatch: pytest.MonkeyPatch, applied: dict[str, Any] | None
) -> None:
    answer = {**WELL, "applied": applied}
    for status in answering(monkeypatch, answer, configured=False):
        assert (status.configuration, status.problems) == ("another tool's", ())
    (first, *_) = answering(monkeypatch, {**answer, "bootstrap": "error"}, configured=False)
    assert first.problems == ("bootstrap is 'error', not done",)


@pytest.mark.parametrize(
    ("message", "hint"),
    [("idr@192.0.2.11: Permission denied (publickey).\n", "run ssh-add, or give --identity FILE"), ("No route", "")],
)
def test_a_key_that_is_refused_names_the_option(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, message: str, hint: str
) -> None:
    stubs.put(tmp_path, monkeypatch, "ssh").answers((255, "", message))
    answers = nodes.ask_all(TOPOLOGY, Path("config"), lambda: None)
    assert hint in str(answers["bastion"])
    assert (message.strip() in str(answers["bastion"])) is not bool(hint)


def test_without_settings_configurations_are_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    assert answering(monkeypatch, WELL, expected=None)[0].configuration == "not compared"


@pytest.mark.parametrize(("answer", "exit_code"), [(WELL, 0), ("no route", 1)])
def test_the_exit_status_says_whether_all_are_well(
    monkeypatch: pytest.MonkeyPatch, answer: Any, exit_code: int
) -> None:
    answering(monkeypatch, answer)
    done = runner.invoke(app, ["status", "--from", "-", "--json"], input=json.dumps(OUTPUTS))
    assert done.exit_code == exit_code
    assert json.loads(done.stdout)["ok"] is (exit_code == 0)
    table = runner.invoke(app, ["status", "--from", "-"], input=json.dumps(OUTPUTS))
    assert ("All 5 nodes are well." in table.stdout) is (exit_code == 0)


def test_a_frozen_release_is_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    values = stacks.values("local")
    values["releases"]["demo1"]["frozen"] = True
    file = stack_file.StackFile("local", "", parse(values, Source("local", "Pulumi.local.yaml")), {})
    monkeypatch.setattr(stack_file, "read", lambda *_, **__: file)
    monkeypatch.setattr(stack_file.StackFile, "secrets", lambda _: stacks.secrets_of("local"))
    assert list(digests("local", TOPOLOGY)) == ["bastion"]


def test_a_configuration_that_cannot_be_rendered_is_an_error_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refused(*_: object) -> str:
        raise RenderError("site/about/files/x.j2: line 1: 'hostname' is undefined")

    file = stack_file.StackFile("local", "", stacks.settings("local"), {})
    monkeypatch.setattr(stack_file, "read", lambda *_, **__: file)
    monkeypatch.setattr(stack_file.StackFile, "secrets", lambda _: stacks.secrets_of("local"))
    monkeypatch.setattr("idr.status.command.bundle", refused)
    with pytest.raises(IdrError, match=r"^site/about/files/x\.j2: line 1: 'hostname' is undefined$"):
        digests("local", TOPOLOGY)


def test_a_manila_share_counts_by_where_the_outputs_say_that_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    share = {"kind": "share", "name": "raw", "mount": "/uod/idr", "sizeGib": 4}
    values = stacks.values("ebi") | {"storage": [share], "storageNetwork": None}
    file = stack_file.StackFile("ebi", "", parse(values, Source("ebi", "Pulumi.ebi.yaml")), {})
    monkeypatch.setattr(stack_file, "read", lambda *_, **__: file)
    secrets, locations = stacks.secrets_of("ebi"), {"raw": "192.0.2.9:/a"}
    monkeypatch.setattr(stack_file.StackFile, "secrets", lambda _: secrets)
    volumes = {volume.name: "0" * 36 for node in file.plan.nodes for volume in node.volumes}
    known = Known(public="192.0.2.10", bastion="192.0.2.11", volumes=volumes, shares=locations)
    compared = digests("ebi", Topology.model_validate(contract.outputs(file.plan, secrets, known)["topology"]))
    node = next(node for node in file.plan.nodes if Role.OMERO_READWRITE in node.roles)
    ids = {volume.purpose: "0" * 36 for volume in node.volumes}
    assert compared[node.name] == json.loads(render.bundle(node, file.plan, secrets, ids, locations))["digest"]
    assert compared[node.name] != json.loads(render.bundle(node, file.plan, secrets, ids))["digest"]


@pytest.mark.parametrize("configured", [True, False])
def test_a_public_address_that_does_not_answer_is_a_problem_where_the_services_are_ours(
    monkeypatch: pytest.MonkeyPatch, *, configured: bool
) -> None:
    answering(monkeypatch, WELL)
    silent = outside.Public(url="https://192.0.2.10/", answers=False, text="timed out")
    monkeypatch.setattr(outside, "public", lambda *_: silent)
    outputs = {**OUTPUTS, "topology": {**OUTPUTS["topology"], "configured": configured}}
    done = runner.invoke(app, ["status", "--from", "-"], input=json.dumps(outputs))
    assert "Public address https://192.0.2.10/: timed out" in done.stdout
    assert done.exit_code == int(configured)


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[Server]:
    """Run a server with the certificate of the stack's public name that answers everything."""
    certificate = stacks.secrets_of("local").certificate("proxy", (TOPOLOGY.host_name,))
    (tmp_path / "pem").write_text(certificate.key + certificate.certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "pem")
    server = Server(lambda call: Answer(200 if call.headers["Host"] == TOPOLOGY.host_name else 404), context)
    yield server
    server.stop()


def test_the_public_address_is_asked_by_its_name_with_the_stacks_authority(proxy: Server) -> None:
    given = Deployed.model_validate({**OUTPUTS, "endpoints": {"web": f"{proxy.root}/"}})
    assert re.fullmatch(r"status 200 in \d+\.\d s", outside.public(given).text)
    elsewhere = TOPOLOGY.model_copy(update={"host_name": "elsewhere.org"})
    assert outside.public(given.model_copy(update={"topology": elsewhere})).answers is False
    for unknown in (stacks.secrets_of("ebi").authority.certificate, "no certificate"):
        assert outside.public(given.model_copy(update={"certificate_authority": unknown})).answers is False


def test_nova_is_asked_with_the_credentials_of_the_stacks_project(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    with FakeCloud() as cloud:
        for name, value in cloud.environment().items():
            monkeypatch.setenv(name, value)
        file = stack_file.StackFile("local", "", stacks.settings("local"), {})
        monkeypatch.setattr(stack_file, "read", lambda *_: file)
        server = cloud.store.add("servers", name="x", status="SHUTOFF", flavor_id="", attached=[], metadata={})
        ids = {"bastion": server["id"], "demo1-redis": "an id that Nova does not know"}
        known = [node.model_copy(update={"id": ids.get(node.name)}) for node in TOPOLOGY.nodes]
        topology = TOPOLOGY.model_copy(update={"nodes": tuple(known)})
        servers = outside.servers("local", PROJECT, topology)
        assert servers == {"bastion": "SHUTOFF", "demo1-redis": "gone"}
        with pytest.raises(CloudError, match="these credentials are for project"):
            outside.servers("local", "another", topology)
