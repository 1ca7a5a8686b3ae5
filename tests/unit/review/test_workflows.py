"""What the workflow files must never do: give secrets to forks, or run code that somebody else can change."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.stacks import ROOT
from idr.review.affected import shared_stacks

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
GITLAB = yaml.safe_load((ROOT / ".gitlab-ci.yml").read_text())


def jobs(file: Path) -> dict[str, Any]:
    by_name: dict[str, Any] = yaml.safe_load(file.read_text())["jobs"]
    return by_name


def triggers(file: Path) -> set[str]:
    # YAML 1.1 reads the key `on` as a boolean.
    return set(yaml.safe_load(file.read_text())[True])


def with_keys(job: dict[str, Any], action: str) -> list[dict[str, Any]]:
    """Return the inputs of each step of a job that uses an action."""
    return [step.get("with", {}) for step in job["steps"] if action in step.get("uses", "")]


def can_write(job: dict[str, Any]) -> bool:
    return "write" in job.get("permissions", {}).values()


def every_script(job: dict[str, Any]) -> str:
    return "\n".join(step.get("run", "") for step in job["steps"])


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_no_workflow_runs_a_changes_code_with_this_repositorys_rights(file: Path) -> None:
    assert not {"pull_request_target", "issue_comment"}.intersection(triggers(file))
    if "workflow_run" in triggers(file):
        # It has write access, so its code must be the default branch's: a checkout that names no other.
        for job in jobs(file).values():
            assert all(not {"ref", "repository"}.intersection(given) for given in with_keys(job, "checkout"))
            assert not re.search(r"\bgit (checkout|switch|merge|pull|worktree|reset)\b", every_script(job))


def test_what_a_change_wrote_is_unpacked_outside_of_the_checkout() -> None:
    judge = jobs(ROOT / ".github" / "workflows" / "guard-rails.yml")["judge"]
    (given,) = with_keys(judge, "download-artifact")
    assert given["path"] == "${{ runner.temp }}/previews"
    assert GITLAB["guard-rails"]["variables"]["GIT_STRATEGY"] == "none"
    clone = next(line for line in GITLAB["guard-rails"]["script"] if "git clone" in line)
    assert '"$CI_DEFAULT_BRANCH"' in clone
    assert clone.endswith('"$program"')
    assert "program=$(mktemp --directory)" in GITLAB["guard-rails"]["script"]


def test_a_label_lifts_nothing() -> None:
    for file in (*WORKFLOWS, ROOT / ".gitlab-ci.yml"):
        assert not re.search("label", file.read_text(), re.IGNORECASE), file.name


def test_only_the_default_branchs_program_judges() -> None:
    review = ROOT / ".github" / "workflows" / "review.yml"
    for text in (*map(every_script, jobs(review).values()), *GITLAB["preview"]["script"]):
        assert "idr review" not in text
        assert "idr.review.judge" not in text


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
            assert not can_write(job), name


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_a_job_that_can_write_runs_no_code_of_a_change(file: Path) -> None:
    for name, job in jobs(file).items():
        if not can_write(job) or triggers(file) == {"workflow_run"}:
            continue
        # Another job ran the tag's code; this one has no checkout, and publishes what that job built.
        assert yaml.safe_load(file.read_text())[True] == {"push": {"tags": ["v*"]}}, name
        assert job["environment"] == "release", name
        assert with_keys(job, "checkout") == [], name
        assert [step["run"].split()[0] for step in job["steps"] if "run" in step] == ["gh"], name


def test_nothing_of_a_fork_is_previewed() -> None:
    review = jobs(ROOT / ".github" / "workflows" / "review.yml")
    assert review["stacks"]["if"] == "github.event.pull_request.head.repo.full_name == github.repository"
    assert review["preview"]["needs"] == "stacks"
    judge = jobs(ROOT / ".github" / "workflows" / "guard-rails.yml")["judge"]
    assert "github.event.workflow_run.head_repository.full_name == github.repository" in judge["if"]
    for name in ("preview", "guard-rails", "lift"):
        (rule,) = GITLAB[name]["rules"]
        assert "$CI_MERGE_REQUEST_SOURCE_PROJECT_ID == $CI_PROJECT_ID" in rule["if"]


def test_gitlab_previews_every_stack_that_has_a_shared_state() -> None:
    (matrix,) = GITLAB["preview"]["parallel"]["matrix"]
    assert matrix["STACK"] == shared_stacks()
