"""What the workflow files must never do: give secrets to forks, or run what somebody else may change under them."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from idr.review.affected import shared_stacks
from tests.stacks import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
GITLAB = yaml.safe_load((ROOT / ".gitlab-ci.yml").read_text())


def jobs(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(file.read_text())["jobs"]
    return found


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_no_workflow_runs_a_forks_code_with_this_repositorys_rights(file: Path) -> None:
    # YAML 1.1 reads the key `on` as a truth value.
    triggers = yaml.safe_load(file.read_text())[True]
    assert not {"pull_request_target", "workflow_run", "issue_comment"}.intersection(triggers)


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_every_action_is_pinned_to_a_commit(file: Path) -> None:
    uses = [step["uses"] for job in jobs(file).values() for step in job["steps"] if "uses" in step]
    assert uses
    assert all(re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", use) for use in uses)


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_a_job_with_secrets_has_an_environment_and_cannot_write(file: Path) -> None:
    for name, job in jobs(file).items():
        if "secrets." in yaml.safe_dump(job):
            assert str(job["environment"]).startswith("review-"), name
        if "write" in job.get("permissions", {}).values():
            assert not any("checkout" in step.get("uses", "") for step in job["steps"]), name


def test_nothing_of_a_fork_is_previewed() -> None:
    review = jobs(ROOT / ".github" / "workflows" / "review.yml")
    assert review["stacks"]["if"] == "github.event.pull_request.head.repo.full_name == github.repository"
    assert review["preview"]["needs"] == "stacks"
    for name in ("preview", "comment"):
        (rule,) = GITLAB[name]["rules"]
        assert "$CI_MERGE_REQUEST_SOURCE_PROJECT_ID == $CI_PROJECT_ID" in rule["if"]


def test_gitlab_previews_every_stack_that_has_a_shared_state() -> None:
    (matrix,) = GITLAB["preview"]["parallel"]["matrix"]
    assert matrix["STACK"] == shared_stacks()
