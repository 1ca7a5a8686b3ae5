"""The commands of README and guide, from top to bottom, in a project of their own on the local cloud."""

import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from dev.cloud import layout
from harness.cloud import tenant
from harness.cloud.service import Service
from harness.cloud.tenant import Tenant
from tests import docs
from tests.docs import Block

pytestmark = pytest.mark.cloud

BLOCKS = [block for file in docs.FILES for block in docs.blocks(file) if block.action != "not run"]
MINUTES = 15
STACK = "elsewhere"
"""The guide states that another stack than `local` differs only in names."""
DEFAULT_QUOTAS = {"instances": 10, "total_cores": 20, "total_ram": 50 * 1024}
SNAPSHOT = "demo1-database-db"


@dataclass
class Reader:
    """A reader who types the commands of the documentation in one shell."""

    stack: Tenant
    environment: Path
    ssh_agent: dict[str, str]

    def types(self, block: Block) -> str:
        """Return the output of a block's commands; they must all end with 0."""
        # The next block has the exported variables, as in a shell that stays open.
        typed = docs.on_stack(block.text, STACK)
        script = f"set -euo pipefail\n. {self.environment}\n{typed}\ndeclare -px > {self.environment}\n"
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=self.stack.folder,
            env=self._variables(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=MINUTES * 60,
        )
        assert done.returncode == 0, f"{block}: {block.text}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def edits(self, block: Block) -> None:
        """Merge a part of a stack file into the stack file."""
        document = yaml.safe_load(self.stack.file.read_text())
        document["config"] = docs.edited(block, document["config"], self._names())
        self.stack.file.write_text(yaml.safe_dump(document, sort_keys=False))

    def _names(self) -> dict[str, str]:
        snapshots = list(self.stack.cloud().block_storage.snapshots(name=SNAPSHOT))
        return {"SNAPSHOT": snapshots[0].id} if snapshots else {}

    def _variables(self) -> dict[str, str]:
        account = {f"OS_{key.upper()}": value for key, value in self.stack.auth.items()}
        return {
            **self.stack.environment(),
            **account,
            **self.ssh_agent,
            "OS_IDENTITY_API_VERSION": "3",
            "PATH": f"{os.environ['PATH']}:{layout.environment() / 'venv' / 'bin'}",
            # A reader answers the engine's questions.
            "PULUMI_SKIP_CONFIRMATIONS": "true",
        }


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[dict[str, str], str]]:
    """Start an ssh agent with a key of this test; yields its variables and the public key."""
    key = tmp_path_factory.mktemp("ssh") / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    started = subprocess.run(["ssh-agent", "-s"], capture_output=True, text=True, check=True).stdout
    variables = dict(re.findall(r"(SSH_\w+)=([^;]+);", started))
    environment = {**os.environ, **variables}
    subprocess.run(["ssh-add", "-q", str(key)], env=environment, check=True)
    yield variables, key.with_suffix(".pub").read_text().strip()
    subprocess.run(["ssh-agent", "-k"], env=environment, capture_output=True, check=True)


@pytest.fixture(scope="module")
def reader(
    service: Service, agent: tuple[dict[str, str], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Reader]:
    """Return a new user with an empty project of default quotas, and the stack file of `make up` under another name."""
    assert service.outputs
    variables, public_key = agent
    stack = tenant.make(tmp_path_factory.mktemp("reader"), stack=STACK)
    limits = stack.cloud().get_compute_limits()
    assert {name: limits[name] for name in DEFAULT_QUOTAS} == DEFAULT_QUOTAS
    stack.configure(idr_operators=[public_key])
    environment = stack.folder / "environment"
    environment.touch()
    yield Reader(stack, environment, variables)
    for snapshot in stack.cloud().block_storage.snapshots(name=SNAPSHOT):
        stack.cloud().block_storage.delete_snapshot(snapshot.id)
    stack.take_down()


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_what_is_written_works(reader: Reader, block: Block) -> None:
    if block.action == "edit":
        reader.edits(block)
    else:
        printed = reader.types(block)
        assert docs.on_stack(block.note, STACK) in printed, f"{block}: {block.text}\n{printed}"


def test_nothing_is_left_when_all_is_taken_down(reader: Reader) -> None:
    assert not any(reader.stack.listing().values()), reader.stack.listing()
