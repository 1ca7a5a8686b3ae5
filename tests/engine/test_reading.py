"""How the engine reads YAML, and files that are not YAML: `idr` must read them in the same way."""

import json

from harness.project import Project
from idr import stack_file
from idr.errors import IdrError
from tests.yaml_table import REFUSED, TAKEN


def test_the_engine_and_idr_read_the_same_values(project: Project) -> None:
    file = project.folder / "Pulumi.table.yaml"
    assert project.pulumi("stack", "init", "table").returncode == 0
    names = {f"idr:v{number}": written for number, written in enumerate(TAKEN)}
    file.write_text("config:\n" + "".join(f"  {name}: {written}\n" for name, written in names.items()))
    done = project.pulumi("config", "--json", "--stack", "table")
    entries = json.loads(done.stdout)
    theirs = {key: entry.get("objectValue", entry.get("value")) for key, entry in entries.items()}
    assert {names[key]: value for key, value in theirs.items() if key in names} == TAKEN
    shown, _ = stack_file._written("table", project.folder)
    assert {names[key]: value for key, value in shown.items()} == TAKEN


def test_the_engine_and_idr_refuse_the_same_files(project: Project) -> None:
    file = project.folder / "Pulumi.table.yaml"
    assert project.pulumi("stack", "init", "table").returncode == 0
    taken: list[str] = []
    for name, data in REFUSED.items():
        file.write_bytes(data)
        if project.pulumi("config", "--json", "--stack", "table").returncode == 0:
            taken.append(f"{name}: by the engine")
        try:
            stack_file._written("table", project.folder)
            taken.append(f"{name}: by idr")
        except IdrError:
            pass
    assert taken == []
