"""The stack `local` on the fake cloud, by the real engine and provider; machines are declared and not configured."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex
from typing import Any

import yaml

from harness.project import Project, copy_program
from tests.fake_cloud.cloud import FakeCloud

STACK = "local"


@dataclass(frozen=True)
class CloudProject(Project):
    """A copy of the program. Its commands also get `variables`, usually those of a fake cloud."""

    variables: dict[str, str] = field(default_factory=dict)

    def environment(self) -> dict[str, str]:
        """Return the environment of this copy's commands."""
        return {**super().environment(), **self.variables}

    def change(self, change: Callable[[dict[str, Any]], None]) -> None:
        """Change the section `config` of the stack file."""
        file = self.folder / f"Pulumi.{STACK}.yaml"
        document = yaml.safe_load(file.read_text())
        change(document["config"])
        file.write_text(yaml.safe_dump(document))


def local_stack(cloud: FakeCloud, folder: Path) -> CloudProject:
    """Create the stack `local` with a state of its own, ready for `pulumi up` on the fake cloud."""
    project = CloudProject(copy_program(folder), cloud.environment())

    def set_up(config: dict[str, Any]) -> None:
        # The variables have the URL of the cloud.
        del config["openstack:authUrl"]
        config["idr:configure"] = False

    project.change(set_up)
    assert project.pulumi("stack", "init", STACK).returncode == 0
    secret = project.pulumi("config", "set", "--secret", "idr:stackSecret", token_hex(32), "--stack", STACK)
    assert secret.returncode == 0, secret.stderr
    return project
