"""A machine without the programs that tests call: one line for each, and a failure of `make check`, which needs all."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests import conftest

SEVERAL = """
import subprocess
import pytest

@pytest.fixture
def served():
    subprocess.run(["no-such-nginx", "-t"])

def test_a_fixture_starts_it(served): pass
def test_it_is_started(): subprocess.run(["no-such-nginx"])
@pytest.mark.needs("no-such-mkfs")
def test_a_script_calls_it(): assert False, "runs without it"
def test_a_file_is_missing(): open("no-such-file")
def test_nothing_is_missing(): pass
"""


def run(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    (folder / "conftest.py").write_text(Path(conftest.__file__).read_text())
    (folder / "test_several.py").write_text(SEVERAL)
    command = [sys.executable, "-m", "pytest", "-ra", "-p", "no:cacheprovider", "--rootdir", str(folder), *options, "."]
    # Loading every installed plugin takes longer than the tests.
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tests = tmp_path / "tests"
    tests.mkdir()
    return tests


def test_each_missing_program_is_one_line(folder: Path) -> None:
    output = run(folder).stdout
    lines = re.findall(r"^SKIPPED \[(\d)\] .*: (\S+) is not installed", output, re.MULTILINE)
    assert sorted(lines) == [("1", "no-such-mkfs"), ("2", "no-such-nginx")]
    assert "1 failed, 1 passed, 3 skipped" in output
    assert "FAILED test_several.py::test_a_file_is_missing" in output


def test_make_check_leaves_nothing_out(folder: Path) -> None:
    output = run(folder, conftest.ALL).stdout
    assert "skipped" not in output
    assert {"test_it_is_started", "test_a_script_calls_it"} <= set(
        re.findall(r"^(?:FAILED|ERROR) \S+::(\w+)", output, re.MULTILINE)
    )
