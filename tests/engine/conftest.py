"""The real engine and plugins, on a copy of the project with a state of its own."""

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.stacks import ROOT

WANTED = ("__main__.py", "Pulumi.yaml", "Pulumi.uod.yaml", "Pulumi.ebi.yaml", "model", "components", "cloudinit", "idr")
TIMEOUT_SECONDS = 180


@dataclass(frozen=True)
class Project:
    """A copy of the project; what is done in it touches nothing else."""

    folder: Path

    def pulumi(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run the engine; its exit status is the caller's to judge."""
        mine = {key: value for key, value in os.environ.items() if not key.startswith("OS_")}
        return subprocess.run(
            ["pulumi", "--non-interactive", "--color", "never", *arguments],
            cwd=self.folder,
            env={
                **mine,
                "PULUMI_BACKEND_URL": f"file://{self.folder}/state",
                "PULUMI_CONFIG_PASSPHRASE": "for tests",
                "PULUMI_SKIP_UPDATE_CHECK": "true",
                **environment,
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=TIMEOUT_SECONDS,
        )

    def preview(self, stack: str) -> dict[str, Any]:
        """A preview as JSON."""
        done = self.pulumi("preview", "--stack", stack, "--json")
        assert done.returncode == 0, done.stderr + done.stdout
        found: dict[str, Any] = json.loads(done.stdout)
        return found


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """The project with the three stack files and an empty state."""
    for name in WANTED:
        source = ROOT / name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, tmp_path / name)
    shutil.copy(ROOT / "dev" / "local" / "Pulumi.local.yaml", tmp_path / "Pulumi.local.yaml")
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    (tmp_path / "state").mkdir()
    return Project(tmp_path)
