"""Creates copies of the program, each with its own state, so that tests in them affect nothing else."""

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.stacks import LAYOUTS, ROOT

PROGRAM = ("__main__.py", "Pulumi.yaml", "bin", "model", "components", "cloudinit", "idr")
PULUMI = ("pulumi", "--non-interactive", "--color", "never")
TIMEOUT_SECONDS = 900


def without_credentials() -> dict[str, str]:
    """Return the environment of this process without the variables that OpenStack's clients read."""
    return {key: value for key, value in os.environ.items() if not key.startswith("OS_")}


@dataclass(frozen=True)
class Project:
    """A copy of the program in a folder."""

    folder: Path

    def state(self) -> dict[str, str]:
        """Return variables for the engine: the address of this copy's state, and the passphrase of its secrets."""
        # As in Pulumi.yaml: a killed engine may leave empty metadata beside a state, which then cannot be read.
        url = f"file://{self.folder}/state?metadata=skip"
        return {"PULUMI_BACKEND_URL": url, "PULUMI_CONFIG_PASSPHRASE": "for tests"}

    def environment(self) -> dict[str, str]:
        """Return the environment of this copy's commands: no credentials, its own state."""
        return {**without_credentials(), **self.state()}

    def run(self, *command: str, text_input: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command in this copy, with its state; the caller checks its exit status."""
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment(),
            input=text_input,
            capture_output=True,
            text=True,
            check=False,
            timeout=TIMEOUT_SECONDS,
        )

    def pulumi(self, *arguments: str, text_input: str = "") -> subprocess.CompletedProcess[str]:
        """Run the engine on this copy; the caller checks its exit status."""
        return self.run(*PULUMI, *arguments, text_input=text_input)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start the engine on this copy and let it run, in its own process group, as on a terminal.

        Its output goes to the file `running.log` in its folder.
        """
        with (self.folder / "running.log").open("w") as log:
            return subprocess.Popen(
                [*PULUMI, *arguments],
                cwd=self.folder,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )

    def preview(self, stack: str) -> dict[str, Any]:
        """Run a preview and return its JSON."""
        done = self.pulumi("preview", "--stack", stack, "--json")
        assert done.returncode == 0, done.stderr + done.stdout
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer


def copy_program(folder: Path) -> Path:
    """Copy the program and every stack file of the repository to `folder`, with an empty state."""
    for name in PROGRAM:
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / name)
    for file in LAYOUTS.values():
        shutil.copy(file, folder)
    (folder / ".venv").symlink_to(ROOT / ".venv")
    (folder / "state").mkdir()
    return folder
