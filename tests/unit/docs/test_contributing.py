"""The small changes in CONTRIBUTING.md: each is applied to a copy of the program, and has its effect."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from harness.project import copy_program
from harness.stacks import ROOT

RECORDED = re.compile(r"<!-- applied: (\w+) -->\n```diff\n(.*?)```$", re.MULTILINE | re.DOTALL)
DIFFS = dict(RECORDED.findall((ROOT / "CONTRIBUTING.md").read_text()))
# In another process: this one has already read the tables.
RENDER = """
import json, sys
import yaml
from cloudinit import render
from model.planning import plan
from model.reading import Source, parse
from model.secrets import Secrets
config = yaml.safe_load(open("Pulumi.ebi.yaml"))["config"]
values = {key.removeprefix("idr:"): value for key, value in config.items() if key.startswith("idr:")}
values.update(json.loads(sys.argv[2]))
values.pop("stackSecret", None)
plan = plan(parse(values, Source("ebi", "Pulumi.ebi.yaml")), "ebi")
node = next(node for node in plan.nodes if sys.argv[1] in node.roles)
volumes = {one.purpose: "0" * 20 for one in node.volumes}
bundle = json.loads(render.bundle(node, plan, Secrets("ebi", "of a test"), volumes))
print(json.dumps({file["path"]: file["content"] for file in bundle["files"]}))
"""


def changed_files(diff: str) -> list[str]:
    """Return the files that a diff changes."""
    return re.findall(r"^\+\+\+ b/(.*)$", diff, re.MULTILINE)


def rendered(folder: Path, role: str, settings: dict[str, object]) -> dict[str, str]:
    """Return the configuration of the first node with a role, by the program in a folder."""
    command = [sys.executable, "-c", RENDER, role, json.dumps(settings)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    texts: dict[str, str] = json.loads(done.stdout)
    return texts


@pytest.mark.parametrize(
    ("kind", "files", "role", "settings", "path", "line"),
    [
        (
            "setting",
            3,
            "database",
            {"checkpointMinutes": 15},
            "/etc/postgresql/15/main/postgresql.conf",
            "checkpoint_timeout = 15min",
        ),
        (
            "kind",
            1,
            "proxy",
            {},
            "/etc/nginx/conf.d/cache.conf",
            "keys_zone=histograms:",
        ),
    ],
)
def test_a_small_change_touches_few_files(
    tmp_path: Path, kind: str, files: int, role: str, settings: dict[str, object], path: str, line: str
) -> None:
    copy_program(tmp_path)
    assert len(changed_files(DIFFS[kind])) == files
    done = subprocess.run(
        ["git", "apply", "-C1", "-"], cwd=tmp_path, input=DIFFS[kind], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, (
        f"CONTRIBUTING.md: your change is beside the example of a {kind}. Make the example's change again by hand and "
        f"copy `git diff -U1`: {done.stderr}"
    )
    assert line in rendered(tmp_path, role, settings)[path]
