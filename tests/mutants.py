"""Puts the faults of mutants.yaml into a copy of the program, one at a time, and runs the tests that must fail then.

`python -m tests.mutants [WORD]` tries all faults, or those with that word in their name; it ends with 1 when the
tests do not notice one of them.
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from harness.stacks import ROOT

FILE = Path(__file__).with_suffix(".yaml")
TESTS = ("tests/unit/test_golden.py",)
"""The test that compares everything that is declared."""
FAILED = 1
"""pytest's exit status when tests ran and some failed; with other statuses they did not run."""


class MutantError(Exception):
    """A fault that cannot be inserted; the message has the reason."""


@dataclass(frozen=True)
class Mutant:
    """A fault: `old` in `file` becomes `new`, and one of `tests` must fail."""

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...] = TESTS

    def text_to_change(self, folder: Path) -> str:
        """Return the content of its file in a copy. Raises MutantError unless the text to replace is there once."""
        file = folder / self.file
        text = file.read_text() if file.is_file() else ""
        if text.count(self.old) != 1:
            msg = f"'{self.name}': {self.file} has its text {text.count(self.old)} times, not once: {self.old}"
            raise MutantError(msg)
        return text

    def apply(self, folder: Path) -> None:
        """Insert the fault into a copy. Raises MutantError as `text_to_change` does."""
        text = self.text_to_change(folder)
        (folder / self.file).write_text(text.replace(self.old, self.new))


def mutants() -> tuple[Mutant, ...]:
    """Return all faults."""
    return tuple(Mutant(**{**about, "tests": tuple(about.get("tests", TESTS))}) for about in _described())


def _described() -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = yaml.safe_load(FILE.read_text())
    return entries


def copy(folder: Path) -> Path:
    """Copy what git tracks of this checkout, and run the tests on the copy. Raises MutantError when they fail."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    for name in listed.stdout.split("\0"):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    done = _run(folder, sorted({test for mutant in mutants() for test in mutant.tests}))
    if done.returncode:
        msg = f"the tests fail without a fault:\n{done.stdout}{done.stderr}"
        raise MutantError(msg)
    return folder


def _run(folder: Path, tests: Iterable[str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def notices(mutant: Mutant, folder: Path) -> bool:
    """Return whether the tests fail on a copy with that fault; then remove the fault. Raises MutantError."""
    mutant.apply(folder)
    try:
        done = _run(folder, mutant.tests)
    finally:
        shutil.copy2(ROOT / mutant.file, folder / mutant.file)
    if done.returncode not in (0, FAILED):
        msg = f"'{mutant.name}': the tests did not run:\n{done.stdout}{done.stderr}"
        raise MutantError(msg)
    return done.returncode == FAILED


def main(word: str = "") -> int:
    """Try the faults with that word in their name; return the exit status."""
    missed = 0
    with tempfile.TemporaryDirectory(prefix="idr-mutants-") as temporary:
        folder = copy(Path(temporary))
        for mutant in mutants():
            if word in mutant.name:
                noticed = notices(mutant, folder)
                missed += not noticed
                print(f"{'noticed' if noticed else 'MISSED '} {mutant.name}", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
