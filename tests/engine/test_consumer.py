"""A second Pulumi program, outside this project's code, reads the stack's outputs by StackReference."""

import json
import shutil

import pytest

from harness import stacks
from harness.project import Project
from model.outputs import contract
from model.outputs.topology import Known

pytestmark = pytest.mark.engine

URN = "urn:pulumi:ebi::idr::pulumi:pulumi:Stack::idr-ebi"


def give_outputs(project: Project) -> None:
    """Write a state with the outputs of an `up` of `ebi`."""
    assert project.pulumi("stack", "init", "ebi").returncode == 0
    outputs = contract.outputs(
        stacks.plan_of("ebi"), stacks.secrets_of("ebi"), Known(public="192.0.2.10", bastion="192.0.2.11")
    )
    root = {"urn": URN, "custom": False, "type": "pulumi:pulumi:Stack", "outputs": outputs}
    state = {"version": 3, "deployment": {"manifest": {}, "resources": [root]}}
    done = project.pulumi("stack", "import", "--stack", "ebi", text_input=json.dumps(state))
    assert done.returncode == 0, done.stderr


def test_another_program_uses_the_outputs_by_their_contract(project: Project) -> None:
    give_outputs(project)
    folder = project.folder / "consumer"
    shutil.copytree(stacks.ROOT / "tests" / "consumer", folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / ".venv").symlink_to(stacks.ROOT / ".venv")
    # Another program with the same state.
    (folder / "state").symlink_to(project.folder / "state")
    consumer = Project(folder)
    assert consumer.pulumi("stack", "init", "here").returncode == 0
    named = consumer.pulumi("config", "set", "--stack", "here", "idrStack", "organization/idr/ebi")
    assert named.returncode == 0, named.stderr
    done = consumer.pulumi("up", "--stack", "here", "--yes", "--skip-preview")
    assert done.returncode == 0, done.stdout + done.stderr
    stack_outputs = json.loads(consumer.pulumi("stack", "output", "--stack", "here", "--json").stdout)
    assert stack_outputs == {
        "contract": 1,
        "databases": ["192.168.130.20"],
        "liveRelease": ["prod130"],
        "scraped": 10,
        "web": "https://192.0.2.10/",
    }


def test_the_idr_command_makes_an_inventory_of_what_the_engine_prints(project: Project) -> None:
    give_outputs(project)
    printed = project.pulumi("stack", "output", "--stack", "ebi", "--json")
    idr = [str(stacks.ROOT / "bin" / "idr"), "inventory"]
    listed = project.run(*idr, "--list", "--from", "-", text_input=printed.stdout)
    assert listed.returncode == 0, listed.stderr
    assert json.loads(listed.stdout)["prod130-database-hosts"] == {"hosts": ["prod130-database"]}
