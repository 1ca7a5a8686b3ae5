"""A release: version, changelog and tag agree."""

import re

import pytest

from dev.release import ReleaseError, main, notes, version
from harness.stacks import ROOT

CHANGELOG = """# Changelog

## 1.3.0 (unreleased)

- Not yet.

## 1.2.0 (2026-12-01)

One sentence.

- A change
  of two lines.

### Fixed

- A fault.

## 1.1.0 (2026-11-01)

- Older.
"""


def test_the_notes_are_the_section_of_the_version_that_the_tag_names() -> None:
    text = "One sentence.\n\n- A change\n  of two lines.\n\n### Fixed\n\n- A fault.\n"
    assert notes("v1.2.0", "1.2.0", CHANGELOG) == text
    assert notes("v1.1.0", "1.1.0", CHANGELOG) == "- Older.\n"


@pytest.mark.parametrize(
    ("tag", "current", "changelog", "message"),
    [
        ("v1.2.0", "1.3.0", CHANGELOG, "the tag is v1.2.0, and pyproject.toml has version 1.3.0"),
        ("1.2.0", "1.2.0", CHANGELOG, "the tag is 1.2.0, and pyproject.toml has version 1.2.0"),
        ("v1.3.0", "1.3.0", CHANGELOG, "no section '## 1.3.0 \\(YYYY-MM-DD\\)'; it has: 1.3.0 \\(unreleased\\), 1.2.0"),
        ("v1.2", "1.2", CHANGELOG, "no section '## 1.2 "),
        ("v1.2.0", "1.2.0", "# Changelog\n", "it has: none"),
        ("v1.2.0", "1.2.0", "## 1.2.0 (2026-12-01)\n\n## 1.1.0 (2026-11-01)\n\n- x\n", "says nothing under '## 1.2.0"),
    ],
)
def test_what_does_not_agree_is_not_released(tag: str, current: str, changelog: str, message: str) -> None:
    with pytest.raises(ReleaseError, match=message):
        notes(tag, current, changelog)


def test_the_workflow_fails_for_a_tag_that_is_no_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main("v0") == 1
    out, err = capsys.readouterr()
    assert (out, err.startswith("error: the tag is v0, and pyproject.toml has version ")) == ("", True)


def test_the_changelog_begins_with_the_version_of_the_package() -> None:
    headings = re.findall(r"^## (\S+) \(", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0] == version((ROOT / "pyproject.toml").read_text())
