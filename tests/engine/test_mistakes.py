"""Common mistakes with a live stack, on the fake cloud: nothing is deleted, or one documented command repairs it.

test_recover.py has another project, the wrong state and a killed update, test_refusals.py a wrong image, and
tests/soak/test_mistakes.py has more mistakes of the same kinds.
"""

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import deployed
from tests.engine.recovery import Deployment
from tests.fake_cloud.cloud import FakeCloud
from tests.fake_cloud.project import STACK, local_stack
from tests.waiting import wait_until

pytestmark = pytest.mark.engine

FILE = f"Pulumi.{STACK}.yaml"
SECONDS = 300


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """Create a stack on a cloud of two regions."""
    with FakeCloud(regions=("one", "two")) as cloud:
        deployment = Deployment(cloud, local_stack(cloud, tmp_path_factory.mktemp("live")), {})
        done = deployment.up()
        assert done.returncode == 0, done.stdout + done.stderr
        yield deployment


@contextmanager
def unharmed(deployment: Deployment) -> Iterator[None]:
    """Check that the block creates and deletes nothing, and that the right settings change nothing afterwards."""
    file = deployment.project.folder / FILE
    right, before = file.read_text(), deployment.holds()
    try:
        yield
    finally:
        file.write_text(right)
    assert deployment.holds() == before


def without_variables(deployment: Deployment, **variables: str) -> Deployment:
    """Return the same stack for somebody whose environment has none of the variables."""
    return replace(
        deployment, project=replace(deployment.project, variables={**deployment.project.variables, **variables})
    )


def failure_of(done: subprocess.CompletedProcess[str]) -> str:
    """Return the output of a command that must fail."""
    text = done.stdout + done.stderr
    assert done.returncode != 0, text
    assert "Traceback" not in text
    return text


def another_flavor(config: dict[str, Any]) -> None:
    config["idr:flavors"]["local.huge"] = {"vcpus": 2, "memoryMib": 4096}
    config["idr:releases"]["demo1"]["nodes"]["redis"]["flavor"] = "local.huge"


def test_a_name_that_the_cloud_does_not_have(live: Deployment) -> None:
    names_nothing(live, another_flavor, "flavor 'local.huge' does not exist (available: local.medium, local.small)")


def names_nothing(live: Deployment, mistake: Callable[[dict[str, Any]], None], message: str) -> None:
    with unharmed(live):
        live.project.change(mistake)
        text = failure_of(live.up())
        assert "nothing was changed" in text
        assert message in text


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"OS_PASSWORD": "wrong"}, "the cloud refuses these credentials"),
        ({"OS_REGION_NAME": "two"}, "these credentials are for project"),
    ],
)
def test_another_cloud_or_person(live: Deployment, variables: dict[str, str], message: str) -> None:
    is_refused(live, variables, message)


def is_refused(live: Deployment, variables: dict[str, str], message: str) -> None:
    with unharmed(live):
        assert message in failure_of(without_variables(live, **variables).up())


def test_another_passphrase(live: Deployment) -> None:
    with unharmed(live):
        text = failure_of(without_variables(live, PULUMI_CONFIG_PASSPHRASE="forgotten").up())  # noqa: S106  # opens nothing
        assert "incorrect passphrase" in text


def test_another_name_of_the_stack(live: Deployment) -> None:
    with unharmed(live):
        text = failure_of(live.project.pulumi("up", "--yes", "--skip-preview", "--stack", "locl"))
        assert "no stack named 'locl' found" in text


def test_an_encryptionsalt_that_was_not_committed_is_in_the_state(live: Deployment) -> None:
    """The repair is the command of docs/state.md."""
    file = live.project.folder / FILE
    right, before = file.read_text(), live.holds()
    document = yaml.safe_load(right)
    del document["encryptionsalt"]
    file.write_text(yaml.safe_dump(document))
    failure_of(live.up())
    page = (Path(__file__).parents[2] / "docs" / "state.md").read_text()
    (command,) = [block for block in page.split("```console\n")[1:] if block.startswith("salt=")]
    done = live.project.run("bash", "-euc", command.split("```")[0].replace("ebi", STACK))
    assert done.returncode == 0, done.stderr
    again = live.up()
    assert again.returncode == 0, again.stdout
    assert live.holds() == before
    assert yaml.safe_load(file.read_text())["encryptionsalt"] == yaml.safe_load(right)["encryptionsalt"]
    file.write_text(right)


def test_a_checkout_of_an_older_commit_deletes_nothing(live: Deployment) -> None:
    kinds = ("servers", "volumes", "ports", "networks", "subnets", "routers", "floatingips", "security-groups")
    before = {kind: live.holds()[kind] for kind in kinds}
    deployed.put_program(live.project.folder, deployed.COMMIT)
    older = live.up()
    deployed.put_program(live.project.folder)
    newer = live.up()
    assert newer.returncode == 0, newer.stdout + older.stdout
    assert {kind: live.holds()[kind] for kind in kinds} == before


def test_an_update_that_is_interrupted_is_completed(live: Deployment) -> None:
    is_completed_after(live, signal.SIGINT)


def is_completed_after(live: Deployment, ended_by: signal.Signals) -> None:
    volumes = live.holds()["volumes"]
    live.project.change(lambda config: config["idr:releases"]["demo1"].update(rebuild={"redis": int(ended_by) + 1}))
    live.cloud.calls.clear()
    running = live.project.start("up", "--yes", "--skip-preview", "--stack", STACK)
    wait_until(
        lambda: any(call.startswith("DELETE ") and "/servers/" in call for call in live.cloud.calls),
        SECONDS,
        pause=0.02,
        state=(live.project.folder / "running.log").read_text,
    )
    # A terminal that closes ends all of its processes.
    os.killpg(running.pid, ended_by)
    running.wait(SECONDS)
    recovered = live.idr("recover", "--yes")
    assert recovered.returncode == 0, recovered.stdout + recovered.stderr
    done = live.up()
    assert done.returncode == 0, done.stdout
    assert len(live.cloud.store.all("servers")) == 5
    assert live.holds()["volumes"] == volumes


def test_after_all_of_it_there_is_nothing_to_do(live: Deployment) -> None:
    done = live.project.pulumi("up", "--yes", "--skip-preview", "--expect-no-changes", "--stack", STACK)
    assert done.returncode == 0, done.stdout
    preview = json.loads(live.project.pulumi("preview", "--json", "--stack", STACK).stdout)
    assert set(preview["changeSummary"]) == {"same"}
