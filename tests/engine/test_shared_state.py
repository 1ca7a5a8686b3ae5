"""A team's state in PostgreSQL: one update at a time, no secret in plain text, and a repair after a crash."""

import dataclasses
import json
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from harness.project import Project
from harness.stacks import ROOT
from tests import postgres
from tests.postgres import Server

pytestmark = pytest.mark.engine

STACK = "team"
SECRET = "only-for-those-with-the-passphrase"  # noqa: S105  # of this test only
SECONDS = 60
# This update waits for the file `go`, so that a second update can start meanwhile.
PROGRAM = f"""
import pulumi
from pulumi_command import local

pulumi.export("secret", pulumi.Config("idr").require_secret("stackSecret"))
local.Command("wait", create="touch began; for i in $(seq {SECONDS}0); do [ -e go ] && exit; sleep 0.1; done; exit 1",
              dir={{folder!r}})
"""


@dataclass(frozen=True)
class Operator(Project):
    """A member of a team: a checkout of their own, a shared state and passphrase."""

    server: Server
    passphrase: str = "shared by the team"  # noqa: S105  # of this test only

    def state(self) -> dict[str, str]:
        return {**self.server.environment(), "PULUMI_CONFIG_PASSPHRASE": self.passphrase}

    def up(self) -> subprocess.CompletedProcess[str]:
        """Run `pulumi up` without questions."""
        return self.pulumi("up", "--stack", STACK, "--yes", "--skip-preview")

    def began(self) -> subprocess.Popen[str]:
        """Start an `up` that waits until `finish`."""
        (self.folder / "go").unlink(missing_ok=True)
        (self.folder / "began").unlink(missing_ok=True)
        running = self.start("up", "--stack", STACK, "--yes", "--skip-preview")
        end = time.monotonic() + SECONDS
        while not (self.folder / "began").exists():
            assert running.poll() is None, (self.folder / "running.log").read_text()
            assert time.monotonic() < end, (self.folder / "running.log").read_text()
            time.sleep(0.1)
        return running

    def finish(self) -> None:
        """Let waiting updates, and all later ones, end."""
        (self.folder / "go").touch()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with postgres.server() as running_server:
        yield running_server


def checkout(folder: Path, server: Server) -> Operator:
    folder.mkdir()
    settings = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())
    settings["config"] = {}
    (folder / "Pulumi.yaml").write_text(yaml.safe_dump(settings))
    (folder / "__main__.py").write_text(PROGRAM.format(folder=str(folder)))
    (folder / ".venv").symlink_to(ROOT / ".venv")
    return Operator(folder, server)


@pytest.fixture
def operator(server: Server, tmp_path: Path) -> Iterator[Operator]:
    """Return the first operator, after creating the stack."""
    project = checkout(tmp_path / "first", server)
    for arguments in (["stack", "init", STACK], ["config", "set", "--stack", STACK, "--secret", "stackSecret", SECRET]):
        done = project.pulumi(*arguments)
        assert done.returncode == 0, done.stderr
    yield project
    project.finish()
    project.pulumi("cancel", "--yes", "--stack", STACK)
    project.pulumi("stack", "rm", "--force", "--yes", STACK)


@pytest.fixture
def colleague(operator: Operator, server: Server, tmp_path: Path) -> Operator:
    """Return the second operator, who has the stack file from version control."""
    project = checkout(tmp_path / "second", server)
    name = f"Pulumi.{STACK}.yaml"
    (project.folder / name).write_text((operator.folder / name).read_text())
    return project


def test_of_two_updates_at_once_the_second_is_refused_and_names_who_has_the_lock(
    operator: Operator, colleague: Operator
) -> None:
    running = operator.began()
    refused = colleague.up()
    operator.finish()
    assert running.wait(SECONDS) == 0, (operator.folder / "running.log").read_text()
    assert refused.returncode != 0
    assert "the stack is currently locked by 1 lock(s)" in refused.stderr
    assert f"(pid {running.pid})" in refused.stderr
    assert not (colleague.folder / "began").exists()


def test_a_killed_engine_leaves_a_lock_that_cancel_takes_away(operator: Operator, colleague: Operator) -> None:
    running = operator.began()
    running.send_signal(signal.SIGKILL)
    running.wait()
    colleague.finish()
    assert "currently locked" in colleague.up().stderr
    cancelled = colleague.pulumi("cancel", "--yes", "--stack", STACK)
    assert cancelled.returncode == 0, cancelled.stderr
    done = colleague.up()
    assert done.returncode == 0, done.stdout + done.stderr


def test_neither_state_nor_messages_show_a_secret_or_the_database_password(operator: Operator, server: Server) -> None:
    operator.finish()
    done = operator.up()
    assert done.returncode == 0, done.stderr
    held = server.query("select convert_from(decode(data->>'data', 'base64'), 'utf8') from pulumi_state")
    assert '"ciphertext"' in held
    password = server.password_file.read_text().strip().rsplit(":", 1)[-1]
    for secret in (SECRET, password):
        assert secret not in held
        assert secret not in done.stdout + done.stderr


def test_without_the_passphrase_nothing_is_opened(operator: Operator, colleague: Operator) -> None:
    stranger = dataclasses.replace(colleague, passphrase="another")  # noqa: S106  # of this test only
    for arguments in (["preview", "--stack", STACK], ["config", "get", "stackSecret", "--stack", STACK]):
        done = stranger.pulumi(*arguments)
        assert done.returncode != 0
        assert "incorrect passphrase" in done.stdout + done.stderr
    assert operator.pulumi("config", "get", "stackSecret", "--stack", STACK).stdout.strip() == SECRET


def test_a_dump_of_the_database_brings_the_stack_back(operator: Operator, server: Server) -> None:
    operator.finish()
    assert operator.up().returncode == 0
    before = json.loads(operator.pulumi("stack", "export", "--stack", STACK).stdout)
    dump = server.run("pg_dump", "--clean", "--if-exists", postgres.DATABASE)
    server.query("truncate pulumi_state")
    assert operator.pulumi("stack", "export", "--stack", STACK).returncode != 0
    server.run("psql", f"--dbname={postgres.DATABASE}", "--quiet", "--set=ON_ERROR_STOP=1", text_input=dump)
    assert json.loads(operator.pulumi("stack", "export", "--stack", STACK).stdout) == before
    preview = operator.pulumi("preview", "--stack", STACK, "--expect-no-changes")
    assert preview.returncode == 0, preview.stdout
