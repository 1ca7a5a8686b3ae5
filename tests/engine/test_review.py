"""The review of real previews."""

import shutil
import sys
from pathlib import Path

import pytest
import yaml

from harness import stacks
from harness.project import Project
from tests.fake_cloud.cloud import FakeCloud
from tests.fake_cloud.project import STACK, local_stack

pytestmark = pytest.mark.engine


def review(project: Project, *arguments: str) -> tuple[int, str]:
    done = project.run(sys.executable, "-m", "idr", "review", "--stack", "ebi", *arguments)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def ebi(project: Project) -> Project:
    """Copy the program, and give it an empty state of the stack `ebi`."""
    assert project.pulumi("stack", "init", "ebi").returncode == 0
    return project


def test_a_new_stack_is_summed_up_and_breaks_no_guard_rail(ebi: Project) -> None:
    status, text = review(ebi)
    assert status == 0, text
    assert "prod130 goes live" in text
    assert "volume prod130-database-db (800 GiB)" in text
    assert "tcp 22 of bastion is opened" in text


def test_a_secret_in_plain_text_in_the_stack_file_fails_and_is_not_shown(ebi: Project) -> None:
    file = ebi.folder / "Pulumi.ebi.yaml"
    document = yaml.safe_load(file.read_text())
    document["config"]["idr:stackSecret"] = secret = "0123456789abcdef" * 4
    file.write_text(yaml.safe_dump(document))
    status, text = review(ebi)
    assert status == 1
    assert "FAIL plain-text-secret: stack file: idr:stackSecret is not encrypted" in text
    assert secret not in text


def test_a_mistake_in_the_stack_file_fails_with_its_key(ebi: Project) -> None:
    file = ebi.folder / "Pulumi.ebi.yaml"
    file.write_text(file.read_text().replace("sizeGib: 800", "sizeGib: -1"))
    status, text = review(ebi)
    assert status == 1
    assert "Pulumi.ebi.yaml: idr:releases.prod130.nodes.database.volumes.db.sizeGib" in text


def test_a_state_that_is_not_there_fails_in_a_line(project: Project) -> None:
    shutil.rmtree(project.folder / "state")
    (project.folder / "state").mkdir()
    status, text = review(project)
    assert status == 1
    assert "no stack named 'ebi' found" in text


def test_an_operator_who_is_added_to_a_running_stack_fails_by_name(tmp_path: Path) -> None:
    with FakeCloud() as cloud:
        project = local_stack(cloud, tmp_path)
        updated = project.pulumi("up", "--yes", "--skip-preview", "--stack", STACK)
        assert updated.returncode == 0, updated.stdout + updated.stderr
        command = (sys.executable, "-m", "idr", "review", "--stack", STACK)
        assert project.run(*command).returncode == 0
        alice = {"name": "alice", "role": "jump", "keys": [stacks.OPERATOR_KEY]}
        project.change(lambda config: config.update({"idr:operators": [stacks.NEW_OPERATOR, alice]}))
        done = project.run(*command)
    assert done.returncode == 1
    assert "FAIL operator-added: new@example.org (SHA256:" in done.stdout
    assert "FAIL operator-added: alice, jump (SHA256:" in done.stdout
