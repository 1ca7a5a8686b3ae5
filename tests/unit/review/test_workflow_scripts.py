"""Every script of the workflows, run with one of its commands failing: the job must fail too.

The commands are stand-ins that succeed, print what the real ones would, and count how often they were called.
"""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tests.stacks import ROOT

# What a real command prints, where a script reads it.
PRINTS = {
    "git": "model/plan.py",
    "python": '["ebi"]',
    "jq": "--allow=world-open-port",
    "gh": "[]",
    "curl": "[]",
}
COMMANDS = ("apt-get", "curl", "gh", "git", "jq", "make", "python")
VARIABLES = {
    "STACK": "ebi",
    "STACKS": "ebi uod",
    "LABELS": '["allow:world-open-port"]',
    "CI_MERGE_REQUEST_LABELS": "allow:world-open-port",
    "REVIEW_HEADER": "/dev/null",
}


@dataclass(frozen=True)
class Script:
    """A script of a job, and the shell that its service runs it with."""

    name: str
    text: str


def scripts() -> list[Script]:
    """Of both services. GitHub's `shell: bash` and GitLab's runner both set errexit and pipefail."""
    found = []
    for file in sorted((ROOT / ".github" / "workflows").glob("*.yml")):
        workflow = yaml.safe_load(file.read_text())
        for job, about in workflow["jobs"].items():
            for number, step in enumerate(about["steps"]):
                if "run" in step:
                    found.append(Script(f"{file.stem}-{job}-{number}", step["run"]))
    for job, about in yaml.safe_load((ROOT / ".gitlab-ci.yml").read_text()).items():
        if isinstance(about, dict) and "script" in about:
            found.append(Script(f"gitlab-{job}", "\n".join(about["script"])))
    return found


def run(script: Script, folder: Path, failing: int | None) -> tuple[int, int, str]:
    """Run a script whose `failing`-th command fails; return its exit status, the number of commands, and their log."""
    log = folder / "log"
    binaries, environment = folder / "bin", folder / ".venv" / "bin"
    for place in (binaries, environment, folder / "review"):
        place.mkdir(parents=True, exist_ok=True)
    (folder / "review" / "ebi.md").write_text("<!-- idr review ebi -->\n")
    for name in COMMANDS:
        stand_in = (environment if name == "python" else binaries) / name
        stand_in.write_text(
            f"#!/bin/bash\n[ ! -p /dev/stdin ] || cat > /dev/null\nprintf '%q ' '{name}' \"$@\" >> {log}\n"
            f"echo >> {log}\n"
            f"[ $(wc -l < {log}) != {failing} ] || exit 3\necho '{PRINTS.get(name, '')}'\n"
        )
        stand_in.chmod(0o755)
    # The job makes this folder itself.
    if "mkdir review" in script.text:
        (folder / "review" / "ebi.md").unlink()
        (folder / "review").rmdir()
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script.text],
        cwd=folder,
        env={"PATH": f"{binaries}:{os.environ['PATH']}", "GITHUB_OUTPUT": str(folder / "out"), **VARIABLES},
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
def test_a_job_fails_with_any_of_its_commands(script: Script, tmp_path: Path) -> None:
    status, commands, said = run(script, tmp_path / "well", None)
    assert (status, commands > 0) == (0, True), said
    for number in range(1, commands + 1):
        status, _, said = run(script, tmp_path / str(number), number)
        assert status != 0, f"command {number} fails, and the job passes: {said}"


def test_a_link_in_an_artifact_is_not_followed(tmp_path: Path) -> None:
    """The preview's job runs the change's own code, and writes what the job with the token reads."""
    for script in scripts():
        if not script.name.startswith(("review-comment", "gitlab-comment")):
            continue
        folder = tmp_path / script.name
        (folder / "review").mkdir(parents=True)
        (folder / "review" / "uod.md").symlink_to("/proc/self/environ")
        (folder / "review" / "other.md").write_text("<!-- idr review ebi -->\n")
        run(script, folder, None)
        log = (folder / "log").read_text()
        assert "ebi.md" in log
        assert "uod.md" not in log
        assert "other.md" not in log
