"""The judgement of a change by a program that the change cannot alter."""

import json
from pathlib import Path
from typing import Any

import pytest

from idr.review import judge
from idr.review.judge import State
from tests.unit.review.repository import Repository

RECORDED = Path(__file__).parent / "previews"
FILES = {"Pulumi.ebi.yaml": "config: {}\n", "model/plan.py": "a plan\n"}


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """Make a checkout of the default branch with one stack, which the judging program reads."""
    folder = tmp_path / "program"
    folder.mkdir()
    clone = Repository(folder)
    clone.commit(FILES)
    monkeypatch.setattr("idr.checkout.folder", lambda: folder)
    monkeypatch.setattr(judge, "shared_stacks", lambda: ["ebi"])
    return clone


def judged(
    repository: Repository,
    capsys: pytest.CaptureFixture[str],
    changed: dict[str, str],
    preview: str | None = "nothing",
) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the verdict on a commit that changes files, and the comments by name."""
    repository.git("checkout", "--quiet", "-b", "change")
    commit = repository.commit(changed)
    repository.git("checkout", "--quiet", "main")
    previews = repository.folder.parent / "previews"
    previews.mkdir(exist_ok=True)
    if preview:
        (previews / "ebi.json").write_text((RECORDED / f"{preview}.json").read_text())
    comments = repository.folder.parent / "comments"
    judge.main(previews, commit, comments)
    return json.loads(capsys.readouterr().out), {file.stem: file.read_text() for file in comments.iterdir()}


def test_a_harmless_change_passes(repository: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    verdict, comments = judged(repository, capsys, {"model/plan.py": "another\n"})
    assert verdict["state"] == State.SUCCESS
    assert comments["ebi"].startswith("<!-- idr review ebi -->\n")


def test_a_change_that_reaches_no_stack_needs_no_preview(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    verdict, comments = judged(repository, capsys, {"docs/guide.md": "text\n"}, preview=None)
    assert (verdict["state"], comments) == (State.SUCCESS, {})


def test_a_broken_guard_rail_is_named(repository: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    verdict, comments = judged(repository, capsys, {"Pulumi.ebi.yaml": "config: {a: b}\n"}, "operator-added")
    assert verdict == {"state": State.BROKEN, "description": "breaks operator-added"}
    assert "**FAILS** `operator-added`" in comments["ebi"]


@pytest.mark.parametrize(
    "path",
    [
        "idr/review/rules.py",
        "idr/review/affected.py",
        "idr/resources.py",
        ".github/workflows/review.yml",
        ".github/workflows/guard-rails.yml",
        ".gitlab-ci.yml",
        "components/disclosure.py",
        "cloudinit/disclosure.py",
        "dev/toolchain/install",
        "requirements-dev.lock",
        "Makefile",
        "Pulumi.yaml",
    ],
)
def test_a_change_of_what_reviews_it_is_a_breach_whatever_it_says_itself(
    repository: Repository, capsys: pytest.CaptureFixture[str], path: str
) -> None:
    weak = 'RULES = ()\nAPART = ("*",)\n'
    verdict, comments = judged(repository, capsys, {path: weak})
    assert verdict["state"] == State.BROKEN
    assert "review-changed" in verdict["description"]
    assert f"`review-changed`: {path} " in comments["the change"]


def test_a_change_cannot_weaken_the_rules_that_judge_it(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    verdict, comments = judged(repository, capsys, {"idr/review/rules.py": "RULES = ()\n"}, "live-release-removed")
    assert {"review-changed", "data-volume-deleted", "live-release-removed"} == set(
        verdict["description"].removeprefix("breaks ").split(", ")
    )
    assert "**FAILS** `data-volume-deleted`" in comments["ebi"]


@pytest.mark.parametrize("text", [None, "", "no JSON", "{}", "[]"])
def test_without_a_preview_nothing_passes_and_nobody_lifts_it(
    repository: Repository, capsys: pytest.CaptureFixture[str], text: str | None
) -> None:
    previews = repository.folder.parent / "previews"
    previews.mkdir()
    if text is not None:
        (previews / "ebi.json").write_text(text)
    verdict, comments = judged(repository, capsys, {"model/plan.py": "another\n"}, preview=None)
    assert verdict["state"] == State.FAILED
    assert "there is no preview" in comments["ebi"]


def test_a_preview_that_failed_half_way_is_nothing_that_could_be_lifted(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    changed = {"model/plan.py": "another\n"}
    verdict, comments = judged(repository, capsys, changed, "old-release-removed-while-protected")
    assert verdict["state"] == State.FAILED
    assert "cannot be deleted because it is protected" in comments["ebi"]


@pytest.mark.parametrize("what", ["file", "folder"])
def test_a_link_in_what_the_change_wrote_is_not_followed(
    repository: Repository, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    previews = repository.folder.parent / "previews"
    elsewhere = repository.folder.parent / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "ebi.json").write_text((RECORDED / "nothing.json").read_text())
    if what == "folder":
        previews.symlink_to(elsewhere)
    else:
        previews.mkdir()
        (previews / "ebi.json").symlink_to(elsewhere / "ebi.json")
    verdict, _ = judged(repository, capsys, {"model/plan.py": "another\n"}, preview=None)
    assert verdict["state"] == State.FAILED


def test_names_in_what_the_change_wrote_become_no_comments(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    previews = repository.folder.parent / "previews"
    previews.mkdir()
    (previews / "other.json").write_text((RECORDED / "nothing.json").read_text())
    _, comments = judged(repository, capsys, {"model/plan.py": "another\n"})
    assert set(comments) == {"ebi"}


def test_the_stack_file_is_the_commits(repository: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    text = "config:\n  idr:stackSecret: 0123456789abcdef\n"
    verdict, comments = judged(repository, capsys, {"Pulumi.ebi.yaml": text})
    assert verdict["description"] == "breaks plain-text-secret"
    assert "0123456789abcdef" not in comments["ebi"]


@pytest.mark.parametrize("target", ["/etc/passwd", "model/plan.py"])
def test_a_stack_file_that_is_a_link_is_the_links_text(repository: Repository, target: str) -> None:
    repository.git("checkout", "--quiet", "-b", "change")
    (repository.folder / "Pulumi.ebi.yaml").unlink()
    (repository.folder / "Pulumi.ebi.yaml").symlink_to(target)
    commit = repository.commit({})
    assert judge.read_stack_file(commit, "ebi") is None
    assert judge.read_stack_file(commit, "uod") is None


def test_a_long_verdict_fits_into_a_status() -> None:
    many = [judge.Judgement(f"stack{number}", State.FAILED, "") for number in range(100)]
    assert len(judge.verdict(many)["description"]) == 140
