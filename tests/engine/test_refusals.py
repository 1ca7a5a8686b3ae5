"""A cloud can hide lists from a project: a stack is created and updated there, too. A wrong name changes nothing."""

from pathlib import Path
from typing import Any

import pytest

from tests.fake_cloud.cloud import FakeCloud
from tests.fake_cloud.project import STACK, CloudProject, local_stack

pytestmark = pytest.mark.engine

# Security groups without quotas, no quota_details, no limits of server groups, lists for administrators only.
REFUSALS = {"GET network/quotas": 404, "GET compute/os-server-groups": 403, "GET volume/os-quota-sets": 403}


def up(project: CloudProject) -> str:
    done = project.pulumi("up", "--yes", "--skip-preview", "--stack", STACK)
    text = done.stdout + done.stderr
    assert "Traceback" not in text
    return text if done.returncode else "done"


def test_a_wrong_name_changes_nothing_of_a_live_stack_that_a_cloud_says_little_of(tmp_path: Path) -> None:
    with FakeCloud() as cloud:
        cloud.refusals.update(REFUSALS)
        for name in ("server groups", "server group members"):
            del cloud.limits["compute"][name]
        project = local_stack(cloud, tmp_path)
        assert up(project) == "done"
        before = {kind: cloud.store.all(kind) for kind in ("servers", "volumes", "ports")}

        def wrong(config: dict[str, Any]) -> None:
            config["idr:image"] = "idr-debian-13"

        project.change(wrong)
        text = up(project)
        assert "nothing was changed: this cloud cannot hold the plan:" in text
        assert "- image 'idr-debian-13' does not exist (available: idr-debian-12)" in text
        assert {kind: cloud.store.all(kind) for kind in before} == before
        assert not [call for call in cloud.calls if call.startswith("DELETE ") and "/servers/" in call]


def test_why_a_cloud_refuses_is_shown_whole(tmp_path: Path) -> None:
    with FakeCloud() as cloud:
        project = local_stack(cloud, tmp_path)
        cloud.refusals["GET network/networks"] = 503
        done = project.pulumi("preview", "--stack", STACK)
        assert done.returncode != 0
        line = next(text for text in done.stdout.splitlines() if "cannot look up the external network" in text)
        assert "but got 503 instead" in line
        assert "GET network/networks is not for you" in line
        assert "invocation of" not in line


def test_a_failed_update_ends_with_the_next_command_and_the_cause(tmp_path: Path) -> None:
    with FakeCloud() as cloud:
        project = local_stack(cloud, tmp_path)
        cloud.refusals["POST compute/servers"] = 400
        text = up(project)
        ending = text[text.index("Diagnostics:") :]
        assert "Error creating OpenStack server" in ending
        assert f"pulumi up --stack {STACK}" in ending
        assert ending.count("Next: ") == 1
        cloud.refusals.clear()
        # A hook registered for all resources makes the engine call the program for each of them: a tenth more time.
        rest = project.pulumi("up", "--yes", "--skip-preview", "--debug", "--stack", STACK)
        assert rest.returncode == 0, rest.stdout
        assert "registering resource" in rest.stdout
        assert "Invoke callback" not in rest.stdout
