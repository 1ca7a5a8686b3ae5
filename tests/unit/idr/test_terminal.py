"""The output of the commands on a terminal of 80 columns: complete, and equal to the golden text.

`python -m tests.unit.idr.test_terminal` writes the golden texts again, for a reader to check.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import pytest
from typer.testing import CliRunner

from harness import stacks
from idr import stack_file
from idr.__main__ import app
from idr.agreement import Agreement
from idr.drift import Drift
from idr.state import State
from idr.status import nodes, outside
from model.capacity import Need
from model.cloud_report import Report
from model.comparison import compare, expected
from model.outputs import contract
from model.outputs.topology import Known, Topology

HERE = Path(__file__).parent
GOLDEN = HERE / "terminal"
PREVIEWS = HERE.parent / "review" / "previews"
COLUMNS = 80
OUTPUTS = contract.outputs(
    stacks.plan_of("ebi"), stacks.secrets_of("ebi"), Known(public="192.0.2.10", bastion="192.0.2.11")
)
NAMES = [node.name for node in Topology.model_validate(OUTPUTS["topology"]).nodes]


CLOUD = SimpleNamespace(
    current_project=SimpleNamespace(name="idr", id="1" * 32),
    config=SimpleNamespace(get_region_name=lambda: "RegionOne"),
)


def shown(*arguments: str, text_input: str = "") -> str:
    """Return the output of a command on a terminal without colours, 80 columns wide."""
    environment = {"TERM": "dumb", "COLUMNS": str(COLUMNS)}
    with (
        mock.patch.dict(os.environ, environment),
        mock.patch("rich.console.Console.is_terminal", mock.PropertyMock(return_value=True)),
    ):
        done = CliRunner().invoke(app, arguments, input=text_input)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done.stdout


def plan() -> str:
    return shown("plan", "--stack", "ebi")


def review() -> str:
    return shown("review", "--stack", "none", "--preview", str(PREVIEWS / "live-release-removed.json"))


def status() -> str:
    answer = nodes.Answer(
        bootstrap="done",
        applied=nodes.Applied(digest="abc", healthy={"common": True, "omero-server": True, "web": False}),
        disks=(nodes.Disk(mount="/var/lib/postgresql", size=100, free=5, percent=95),),
        patches=nodes.Patches(reboot=True, services=("nginx", "omero-web", "postgresql@15-main")),
        versions={},
    )
    public = outside.Public(url="https://192.0.2.10/", answers=True, text="status 200 in 0.1 s")
    with (
        mock.patch.object(nodes, "_ask", return_value=answer),
        mock.patch.object(outside, "public", return_value=public),
    ):
        return shown("status", "--from", "-", text_input=json.dumps(OUTPUTS))


def check() -> str:
    report = Report(
        needs=(
            Need("security group rules", 146, 96, 100),
            Need("gigabytes of type 'a long name of a volume type'", 2500, 1000, 1000),
            Need("server groups", 1, float("inf"), -1),
        ),
        shortfalls=[
            "image 'Debian 12 with a long name of the cloud' does not exist (available: [EOL] Debian 11, other)"
        ],
    )
    file = stack_file.StackFile("ebi", "Pulumi.ebi.yaml", stacks.settings("ebi"), {})
    with (
        mock.patch("idr.commands.check.stack_file.read", return_value=file),
        mock.patch("idr.commands.check.connect", return_value=CLOUD),
        mock.patch("idr.commands.check.disagreements", return_value=[]),
        mock.patch("idr.commands.check.cloud_state.read"),
        mock.patch("idr.commands.check.report", return_value=report),
    ):
        return shown("check", "--stack", "ebi")


def drift() -> str:
    compared = Agreement("ebi", (), State(()), compare((), (), expected(stacks.plan_of("ebi"))))
    instance = "openstack:compute/instance:Instance"
    differences = [
        Drift(name=NAMES[-1], type=instance, change="changed", properties=("flavorName", "metadata.idr_roles")),
        Drift(name=NAMES[1], type="server", change="switched off"),
        Drift(name=f"{NAMES[-1]}-tcp-4064-from-{NAMES[2]}", type="security group rule", change="unknown"),
    ]
    with (
        mock.patch("idr.commands.drift._compared", return_value=compared),
        mock.patch("idr.commands.drift.running.of", return_value=None),
        mock.patch("idr.commands.drift.engine.run", return_value="{}"),
        mock.patch("idr.commands.drift.drifts", return_value=differences),
        mock.patch("idr.commands.drift.of_listing", return_value=[]),
    ):
        return shown("drift", "--stack", "ebi")


SCREENS: dict[str, Callable[[], str]] = {
    "plan": plan,
    "review": review,
    "status": status,
    "check": check,
    "drift": drift,
}


@pytest.mark.parametrize("name", SCREENS)
def test_a_terminal_shows_what_the_golden_text_says(name: str) -> None:
    assert SCREENS[name]() == (GOLDEN / f"{name}.txt").read_text()


@pytest.mark.parametrize("name", SCREENS)
def test_no_line_is_longer_than_the_terminal_and_nothing_is_cut(name: str) -> None:
    text = SCREENS[name]()
    assert max(map(len, text.splitlines())) <= COLUMNS
    assert "…" not in text


@pytest.mark.parametrize("name", ["plan", "status"])
def test_every_node_is_on_one_line_whole(name: str) -> None:
    lines = SCREENS[name]().splitlines()
    assert all(any(f" {node} " in line for line in lines) for node in NAMES)


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for screen, make in SCREENS.items():
        (GOLDEN / f"{screen}.txt").write_text(make())
