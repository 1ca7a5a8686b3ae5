"""Each comment that switches a check off gives its reason."""

import re
import subprocess

from harness.stacks import ROOT

SUPPRESSED = re.compile(r"# (?:noqa|type: ignore|pragma)\b.*")
CODE = r"[A-Z]+\d+"
REASON = re.compile(rf"# (?:noqa: {CODE}(?:, ?{CODE})*|type: ignore\[[\w,-]+\]|pragma: .*?) +(?:# |\()?\w.*")


def without_reason(text: str) -> list[str]:
    """Return comments that switch a check off without a reason."""
    return [one for one in SUPPRESSED.findall(text) if not REASON.fullmatch(one)]


def test_a_check_is_switched_off_for_a_reason() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    without = {name: without_reason((ROOT / name).read_text()) for name in listed if (ROOT / name).is_file()}
    assert {name: lines for name, lines in without.items() if lines and "test_suppressions" not in name} == {}


def test_what_has_no_reason_is_seen() -> None:
    assert without_reason("a()  # noqa: S101\nb()  # noqa: S101  # only here\n") == ["# noqa: S101"]
    assert without_reason("a()  # type: ignore[misc]\nb()  # type: ignore[misc]  # it has no types") == [
        "# type: ignore[misc]"
    ]
