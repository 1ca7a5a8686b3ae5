"""`idr ssh`, and how other commands connect to a node."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from harness import stacks
from idr import remote
from idr.__main__ import app
from idr.errors import IdrError
from idr.status import nodes
from idr.topology import find
from model.outputs import contract
from model.outputs.topology import Known, Topology
from tests import stubs
from tests.stubs import Stub

OUTPUTS = contract.outputs(
    stacks.plan_of("local"), stacks.secrets_of("local"), Known(public="192.0.2.10", bastion="192.0.2.11")
)
TOPOLOGY = Topology.model_validate(OUTPUTS["topology"])


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stub]:
    """Put a stub of ssh on PATH. `idr ssh` leaves Ctrl-C to ssh, a change that must not outlast a test."""
    before = signal.getsignal(signal.SIGINT)
    yield stubs.put(tmp_path, monkeypatch, "ssh")
    signal.signal(signal.SIGINT, before)


def run(*arguments: str) -> int:
    return CliRunner().invoke(app, ["ssh", *arguments], input=json.dumps(OUTPUTS)).exit_code


def test_a_command_runs_on_the_node_and_its_exit_status_is_passed_on(program: Stub) -> None:
    program.answers((7, "", ""))
    assert run("demo1-redis", "--from", "-", "--", "systemctl", "is-active", "redis") == 7
    call = program.calls[0]
    assert call.arguments[0] == "-F"
    assert call.arguments[2:] == ["demo1-redis", "systemctl", "is-active", "redis"]
    assert not Path(call.arguments[1]).exists()


@pytest.mark.parametrize(("status", "hints"), [(255, True), (7, False), (0, False)])
def test_who_cannot_log_in_learns_which_option_gives_a_key(program: Stub, status: int, *, hints: bool) -> None:
    program.answers((status, "", ""))
    done = CliRunner().invoke(app, ["ssh", "redis", "--from", "-"], input=json.dumps(OUTPUTS))
    assert ("If ssh says `Permission denied`: the node accepts none of ssh's keys: run ssh-add" in done.stderr) is hints


def test_a_short_name_is_a_node_of_the_live_release() -> None:
    assert find(TOPOLOGY, "redis").name == "demo1-redis"
    other = TOPOLOGY.model_copy(update={"live": "demo2"})
    with pytest.raises(IdrError, match="no such node: redis; there are: bastion, demo1-database"):
        find(other, "redis")


def test_the_configuration_is_there_while_it_is_needed_and_names_the_identity() -> None:
    with remote.configuration(TOPOLOGY, Path("/keys/mine")) as file:
        assert "Host demo1-redis" in file.read_text()
        assert "IdentityFile /keys/mine" in file.read_text()
    assert not file.exists()


def test_somebody_with_an_account_of_their_own_uses_it_on_every_hop() -> None:
    with remote.configuration(TOPOLOGY, None, "alice") as file:
        users = [line for line in file.read_text().splitlines() if line.startswith("  User ")]
    assert users == ["  User alice"] * len(TOPOLOGY.nodes)


@pytest.mark.parametrize("given", [("--login", "alice"), ()])
def test_the_account_is_given_by_option_or_variable(
    program: Stub, monkeypatch: pytest.MonkeyPatch, given: tuple[str, ...]
) -> None:
    if not given:
        monkeypatch.setenv("IDR_LOGIN", "alice")
    kept: list[str] = []

    def config(topology: Topology, _: str | None) -> str:
        kept.append(topology.admin_user)
        return ""

    monkeypatch.setattr(remote, "ssh_config", config)
    program.answers((0, "", ""))
    assert run("demo1-redis", "--from", "-", *given) == 0
    assert kept == ["alice"]


def test_a_tool_never_waits_for_somebody_to_type(program: Stub, tmp_path: Path) -> None:
    program.answers((255, "", "Permission denied (publickey).\n"))
    answers = nodes.ask_all(TOPOLOGY, tmp_path / "config", lambda: None)
    assert [type(answer) for answer in answers.values()] == [str] * 5
    assert program.calls
    for call in program.calls:
        options = [value for flag, value in zip(call.arguments, call.arguments[1:], strict=False) if flag == "-o"]
        assert "BatchMode=yes" in options
        assert f"ConnectTimeout={nodes.SECONDS}" in options


def test_a_node_answers_what_the_probe_prints_there(program: Stub, tmp_path: Path) -> None:
    answer = {
        "bootstrap": "done",
        "applied": {"digest": "abc", "healthy": {"redis": True}},
        "disks": [{"mount": "/", "size": 100, "free": 50, "percent": 50}],
        "versions": {},
        "uptime": 3.0,
    }
    program.answers((0, json.dumps(answer), ""))
    expected = {node.name: "abc" if node.name == "bastion" else "other" for node in TOPOLOGY.nodes}
    answers = nodes.ask_all(TOPOLOGY, tmp_path / "config", lambda: None)
    statuses = {status.node: status for status in nodes.judged(answers, expected, {}, configured=True)}
    assert (statuses["bastion"].configuration, statuses["bastion"].problems) == ("current", ())
    assert statuses["demo1-redis"].configuration == "differs"
    assert all(call.input == nodes.PROBE.read_text() for call in program.calls)
    # The remote shell reads the command: characters that it would expand are quoted.
    versions = {"demo1-database": ("'postgresql-1[0-9]'",), "demo1-redis": ("redis-server",), "demo1-proxy": ("nginx",)}
    assert {tuple(call.arguments[call.arguments.index("sudo") - 1 :]) for call in program.calls} == {
        (node.name, "sudo", "-n", "python3", "-", *versions.get(node.name, ())) for node in TOPOLOGY.nodes
    }


def test_what_is_no_answer_is_reported_as_such(program: Stub, tmp_path: Path) -> None:
    program.answers((0, "Welcome to Debian", ""))
    answers = nodes.ask_all(TOPOLOGY, tmp_path / "config", lambda: None)
    assert "Welcome to Debian" in str(answers["bastion"])
