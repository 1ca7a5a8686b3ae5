"""Every script of the workflows, run with one of its commands failing: the job must fail too.

The commands are stubs that succeed, print what the real ones would, and count their calls.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from harness.stacks import ROOT

# The output of a real command, if a script reads it. `broken` is the verdict with the most steps.
PRINTS = {
    "git": "model/plan.py",
    "python": '["ebi"]',
    "jq": "broken",
    "gh": "[]",
    "curl": "[]",
    "pulumi": "{}",
}
# The commands of a pipe are counted one after another, and none fails because the next one reads nothing.
DRAIN = "[ ! -p /dev/stdin ] || cat > /dev/null"
COMMANDS = ("apt-get", "curl", "gh", "git", "jq", "make", "pulumi", "python", "python3")
VARIABLES = {
    "STACK": "ebi",
    "REVIEW_HEADER": "/dev/null",
    "RENEW_CREDENTIALS": "/dev/null",
    # Nothing is written to the home of the user who runs this.
    "HOME": "/nonexistent",
    "GITHUB_REPOSITORY": "idr/deployment",
    "GITHUB_REF_NAME": "v0.1.0",
    "CI_PROJECT_URL": "https://gitlab.example.org/idr/deployment",
    "CI_DEFAULT_BRANCH": "main",
}


@dataclass(frozen=True)
class Script:
    """A script of a job, and the shell with which its service runs it."""

    name: str
    text: str


def scripts() -> list[Script]:
    """Return the scripts of both services. GitHub's `shell: bash` and GitLab's runner both set errexit and pipefail."""
    all_scripts = []
    for file in sorted((ROOT / ".github" / "workflows").glob("*.yml")):
        workflow = yaml.safe_load(file.read_text())
        for job, about in workflow["jobs"].items():
            for number, step in enumerate(about["steps"]):
                if "run" in step:
                    all_scripts.append(Script(f"{file.stem}-{job}-{number}", step["run"]))
    for job, about in yaml.safe_load((ROOT / ".gitlab-ci.yml").read_text()).items():
        if isinstance(about, dict) and "script" in about:
            all_scripts.append(Script(f"gitlab-{job}", "\n".join(about["script"])))
    return all_scripts


def run(
    script: Script, folder: Path, failing: int | None, replacements: Mapping[str, str] | None = None
) -> tuple[int, int, str]:
    """Run a script whose `failing`-th command fails; return its exit status, the number of commands, and their log.

    `replacements` are scripts by command, in place of those that only print.
    """
    log, program = folder / "log", folder / "program"
    binaries, comments = folder / "bin", folder / "comments"
    for target in (binaries, folder / ".venv" / "bin", program / ".venv" / "bin", comments, program / "comments"):
        target.mkdir(parents=True, exist_ok=True)
    (folder / "renew.patch").write_text("a patch")
    for target in (comments, program / "comments"):
        (target / "ebi.md").write_text("<!-- idr review ebi -->\n")
    for name in COMMANDS:
        drain, text = DRAIN, f"echo '{PRINTS.get(name, '')}'"
        if replacements and name in replacements:
            drain, text = "", replacements[name]
        for target in [folder / ".venv" / "bin", program / ".venv" / "bin"] if name == "python" else [binaries]:
            stub = target / name
            stub.write_text(
                f"#!/bin/bash\n{drain}\nprintf '%q ' '{name}' \"$@\" >> {log}\necho >> {log}\n"
                f"[ $(wc -l < {log}) != {failing} ] || exit 3\n{text}\n"
            )
            stub.chmod(0o755)
    # Where GitLab's job puts the default branch's program.
    (binaries / "mktemp").write_text(f"#!/bin/bash\necho {program}\n")
    (binaries / "mktemp").chmod(0o755)
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script.text],
        cwd=folder,
        env={
            "PATH": f"{binaries}:{os.environ['PATH']}",
            "GITHUB_OUTPUT": str(folder / "out"),
            "RUNNER_TEMP": str(folder),
            "CI_PROJECT_DIR": str(folder),
            **VARIABLES,
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    lines = log.read_text().splitlines() if log.exists() else []
    return done.returncode, len(lines), done.stdout + done.stderr


def test_github_runs_every_script_with_pipefail() -> None:
    for file in (ROOT / ".github" / "workflows").glob("*.yml"):
        assert yaml.safe_load(file.read_text())["defaults"]["run"]["shell"] == "bash", file.name


@pytest.mark.parametrize("script", scripts(), ids=lambda script: script.name)
def test_no_script_is_put_together_from_what_a_change_names(script: Script) -> None:
    """GitHub inserts `${{ }}` into the script before a shell reads it; a branch's name would be code."""
    assert "${{" not in script.text


@pytest.mark.parametrize("script", scripts(), ids=lambda script: script.name)
def test_a_job_fails_with_any_of_its_commands(script: Script, tmp_path: Path) -> None:
    status, commands, output = run(script, tmp_path / "well", None)
    # GitLab's `lift` only records who ran it.
    assert (status, commands > 0) == (0, script.name != "gitlab-lift"), output
    for number in range(1, commands + 1):
        status, _, output = run(script, tmp_path / str(number), number)
        assert status != 0, f"command {number} fails, and the job passes: {output}"


def named(name: str) -> Script:
    """Return the script of that name, or the only one that begins with it."""
    (match,) = (script for script in scripts() if script.name.startswith(name))
    return match


TRUE_JQ = f'{shutil.which("jq")} "$@"'
PROTECTED = '{"protection_rules": [{"type": "required_reviewers", "prevent_self_review": true}]}'


@pytest.mark.needs("jq")
@pytest.mark.parametrize(
    ("environment", "lifts"),
    [
        (PROTECTED, True),
        (PROTECTED.replace("true", "false"), False),
        ('{"protection_rules": [{"type": "wait_timer"}]}', False),
        ('{"protection_rules": []}', False),
        ("{}", False),
    ],
)
def test_github_lifts_nothing_without_a_reviewer_who_is_not_the_author(
    environment: str, lifts: bool, tmp_path: Path
) -> None:
    status, _, _ = run(named("guard-rails-lift"), tmp_path, None, {"jq": TRUE_JQ, "gh": f"echo '{environment}'"})
    assert (status == 0) == lifts
    assert ("state=success" in (tmp_path / "log").read_text()) == lifts


def gitlab(deployments: str, level: int) -> str:
    """Return a stub of GitLab's API: user 1 is the merge request's author, and every member has `level`."""
    member = json.dumps({"access_level": level})
    request = json.dumps({"author": {"id": 1}})
    return (
        f"case \"$*\" in\n*/deployments*) echo '{deployments}' ;;\n*/members/*) echo '{member}' ;;\n"
        f"*/notes*) echo '[]' ;;\n*) echo '{request}' ;;\nesac"
    )


@pytest.mark.needs("jq")
@pytest.mark.parametrize(
    ("state", "deployed", "user", "level", "passes"),
    [
        ("success", "other", 1, 0, True),
        ("failed", "abc", 2, 50, False),
        ("broken", "abc", 2, 40, True),
        ("broken", "abc", 2, 30, False),
        ("broken", "abc", 1, 50, False),
        ("broken", "other", 2, 50, False),
    ],
)
def test_gitlab_lets_a_maintainer_other_than_the_author_lift_what_one_commit_breaks(
    state: str, deployed: str, user: int, level: int, passes: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(VARIABLES, "CI_COMMIT_SHA", "abc")
    deployments = json.dumps([{"sha": deployed, "deployable": {"user": {"id": user}}}])
    verdict = json.dumps({"state": state})
    replacements = {"jq": TRUE_JQ, "curl": gitlab(deployments, level), "python": f"echo '{verdict}'"}
    status, _, output = run(named("gitlab-guard-rails"), tmp_path, None, replacements)
    assert (status == 0) == passes, output
