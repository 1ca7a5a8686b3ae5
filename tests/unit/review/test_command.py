"""The command `idr review` on recorded previews."""

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from harness import stacks
from idr.__main__ import app
from tests import stubs

PREVIEWS = Path(__file__).parent / "previews"
OK, FAILED, USAGE = 0, 1, 2


def review(case: str, *arguments: str) -> Result:
    return CliRunner().invoke(
        app, ["review", "--stack", "none", "--preview", str(PREVIEWS / f"{case}.json"), *arguments]
    )


def test_a_harmless_change_passes() -> None:
    result = review("node-added")
    assert result.exit_code == OK
    assert "server demo1-omeroreadonly-1" in result.stdout


def test_a_broken_guard_rail_fails_with_its_name() -> None:
    result = review("volume-shrunk")
    assert result.exit_code == FAILED
    assert "FAIL data-volume-shrunk" in result.stdout


def test_a_guard_rail_is_lifted_by_its_name_only() -> None:
    assert review("volume-shrunk", "--allow", "data-volume-deleted").exit_code == FAILED
    assert review("volume-shrunk", "--allow", "data-volume-shrunk").exit_code == OK


def test_an_unknown_guard_rail_is_wrong_usage_and_the_known_ones_are_named() -> None:
    result = review("nothing", "--allow", "everything")
    assert result.exit_code == USAGE
    assert "data-volume-deleted" in result.stderr


def test_a_preview_that_failed_fails_the_review_even_with_its_rule_lifted() -> None:
    result = review("old-release-removed-while-protected", "--allow", "data-volume-deleted")
    assert result.exit_code == FAILED
    assert "demo2-database-db cannot be deleted" in result.stdout


def test_programs_get_the_same_as_data() -> None:
    result = review("volume-shrunk", "--json")
    answer = json.loads(result.stdout)
    assert result.exit_code == FAILED
    assert [breach["rule"] for breach in answer["breaches"]] == ["data-volume-shrunk"]
    assert answer["lines"][0]["topic"] == "data"


@pytest.mark.parametrize("name", ["missing.json", "."])
def test_a_file_that_cannot_be_read_is_wrong_usage(name: str) -> None:
    result = CliRunner().invoke(app, ["review", "--stack", "none", "--preview", name])
    assert result.exit_code == USAGE
    assert "cannot read" in result.stderr


def test_standard_input_is_read_too() -> None:
    text = (PREVIEWS / "nothing.json").read_text()
    result = CliRunner().invoke(app, ["review", "--stack", "none", "--preview", "-"], input=text)
    assert (result.exit_code, result.stdout) == (OK, "none: nothing changes\n")


def test_what_the_stack_file_lacks_is_named_before_an_up_refuses_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(stacks.ROOT / "Pulumi.yaml", tmp_path)
    shutil.copy(stacks.STACK_FILES["uod"], tmp_path / "Pulumi.mine.yaml")
    monkeypatch.setattr("idr.checkout.folder", lambda: tmp_path)
    result = CliRunner().invoke(app, ["review", "--stack", "mine", "--preview", str(PREVIEWS / "nothing.json")])
    heading = result.stdout.splitlines().index("Not set yet, and `pulumi up` needs it:")
    assert (
        "  - Pulumi.mine.yaml: idr:omero.server.sha256: is not set yet; `idr pin` finds it"
        in (result.stdout.splitlines()[heading:])
    )


def test_a_stack_file_that_is_no_yaml_is_named_with_its_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "Pulumi.mine.yaml").write_text("config:\n  idr:image: [a\n  idr:live: x\n")
    monkeypatch.setattr("idr.checkout.folder", lambda: tmp_path)
    program = stubs.put(tmp_path, monkeypatch, "pulumi")
    result = CliRunner().invoke(app, ["review", "--stack", "mine"])
    assert (result.exit_code, program.calls) == (FAILED, [])
    assert "Pulumi.mine.yaml: line 3" in result.stderr


def test_a_misspelt_key_is_named_where_the_engine_misses_the_right_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = stacks.STACK_FILES["uod"].read_text()
    (tmp_path / "Pulumi.mine.yaml").write_text(text.replace("idr:live:", "idr:lvie:"))
    shutil.copy(stacks.ROOT / "Pulumi.yaml", tmp_path)
    monkeypatch.setattr("idr.checkout.folder", lambda: tmp_path)
    message = "error: validating stack config: Stack 'mine' is missing configuration value 'live'\n"
    stubs.put(tmp_path, monkeypatch, "pulumi").answers((255, "", message))
    result = CliRunner().invoke(app, ["review", "--stack", "mine"])
    assert result.exit_code == FAILED
    assert "idr:lvie: is not a setting" in result.stderr


def test_a_stack_that_the_state_does_not_have_names_the_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = (255, "", "error: no stack named 'mine' found\n")
    stubs.put(tmp_path, monkeypatch, "pulumi").answers(missing, (0, '{"url": "file:///srv/state"}', ""))
    result = CliRunner().invoke(app, ["review", "--stack", "mine"])
    assert result.exit_code == FAILED
    assert "The state in use is file:///srv/state" in result.stderr
