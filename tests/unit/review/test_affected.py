"""The stacks that a change affects."""

import ast
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.project import PROGRAM
from harness.stacks import ROOT
from idr.review import affected
from idr.review.affected import changed_paths, shared_stacks, stacks_touched
from tests.unit.review.repository import Repository

STACKS = ("ebi", "uod")


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        ([], []),
        (["Pulumi.ebi.yaml"], ["ebi"]),
        (["Pulumi.ebi.yaml", "docs/guide.md"], ["ebi"]),
        (
            [
                "README.md",
                "tests/unit/model/test_plan.py",
                "dev/cloud/seed.py",
                "harness/ports.py",
                ".github/workflows/check.yml",
            ],
            [],
        ),
        (["Pulumi.gone.yaml"], []),
        (["model/plan.py"], ["ebi", "uod"]),
        (["cloudinit/proxy/files/usr/share/notes.md"], ["ebi", "uod"]),
        (["CHANGELOG.md", "LICENSE"], []),
        (["Pulumi.yaml"], ["ebi", "uod"]),
        (["requirements.lock"], ["ebi", "uod"]),
        (["requirements-dev.lock"], ["ebi", "uod"]),
        (["dev/toolchain/internal/command/remote/command.go"], ["ebi", "uod"]),
        (["Makefile"], ["ebi", "uod"]),
        (["requirements-dev.in"], []),
        (["a-new-folder/of-unknown-use.py"], ["ebi", "uod"]),
    ],
)
def test_a_change_touches_the_stacks_whose_preview_may_differ(paths: list[str], expected: list[str]) -> None:
    assert stacks_touched(paths, STACKS) == expected


@given(st.lists(st.sampled_from(["model/plan.py", "Pulumi.uod.yaml", "docs/x.md", "idr/cloud.py", "Pulumi.ebi.yaml"])))
def test_more_paths_never_touch_less(paths: list[str]) -> None:
    assert set(stacks_touched(paths[:-1], STACKS)) <= set(stacks_touched(paths, STACKS))


def test_the_local_stack_has_no_state_that_others_could_preview() -> None:
    assert "local" not in shared_stacks()
    assert "ebi" in shared_stacks()


def test_a_file_that_is_moved_counts_at_both_of_its_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repository = Repository(tmp_path)
    base = repository.commit({"model/plan.py": "a plan\n" * 9, "docs/été.md": "text\n"})
    repository.git("mv", "model/plan.py", "docs/plan.py")
    head = repository.commit({"docs/été.md": "other\n"})
    monkeypatch.setattr("idr.checkout.folder", lambda: tmp_path)
    assert changed_paths(base, head) == ["docs/plan.py", "docs/été.md", "model/plan.py"]


def test_a_commit_that_git_does_not_know_is_an_error_and_not_no_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = Repository(tmp_path)
    head = repository.commit({"README.md": "text\n"})
    monkeypatch.setattr("idr.checkout.folder", lambda: tmp_path)
    with pytest.raises(subprocess.CalledProcessError, match="0" * 40):
        changed_paths("0" * 40, head)


def test_the_program_imports_nothing_of_what_reaches_no_cloud() -> None:
    files = [ROOT / "__main__.py", *(file for name in PROGRAM for file in (ROOT / name).rglob("*.py"))]
    apart = {pattern.split("/")[0] for pattern in affected.APART if pattern.endswith("/*")}
    imported = {
        name.split(".")[0] for file in files for node in ast.walk(ast.parse(file.read_text())) for name in _names(node)
    }
    assert "model" in imported
    assert not imported & apart


def _names(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or ""] if isinstance(node, ast.ImportFrom) else []
