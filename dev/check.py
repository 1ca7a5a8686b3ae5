"""`make check`: run linters, type checks and the unit tests that are not of `make long`.

Print the duration of each; exit with 1 when one fails.

Three run at the same time, the longest first: while the unit tests wait for servers, the others use the processors.
"""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from dev import debian

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
# It runs without the project's environment, as a separate package.
LANGUAGE_HOST = ROOT / "dev" / "toolchain" / "language"
# For each of the two groups of unit tests. Each worker imports and collects all tests. A file's tests stay together,
# because they share fixtures. tests/unit/conftest.py sets their order.
WORKERS = ("--dist", "loadfile", "--no-loadscope-reorder", "-n", "3")
# In percent. Tests cannot notice a fault in a line that none of them runs.
LEAST_COVERED = 90
COVERAGE = ("--cov=components", "--cov=idr", "--cov-report=term:skip-covered", f"--cov-fail-under={LEAST_COVERED}")
# Folders of tests for the measured packages, and tests that are left out because they cover hardly any additional
# line: measuring doubles the run time of Python code. So the real coverage is about one percent higher.
MEASURED = ("components", "idr", "importer", "prewarm", "review", "storage", "transfer")
NOT_MEASURED = (
    *("components/test_data_share.py", "components/test_renewal.py", "components/test_site_roles.py"),
    *("components/test_turns.py", "idr/test_damaged_files.py", "transfer/test_odd_trees.py"),
)
AT_ONCE = 3
OF_PROGRAMS = "B,BLE,C4,C90,F,PIE,RET,SIM,UP,W"
"""The rules of ruff for programs without an ending: faults and complexity. Another layout would replace all servers."""
PACKAGES = ("model", "components", "cloudinit", "idr", "dev", "harness", "tests", "bench")


def shell_scripts() -> list[str]:
    """Return the shell scripts among the files in git."""
    return [name for name in _files() if _first_line(ROOT / name).endswith(("/bash", " bash", "/sh"))]


def python_programs() -> list[str]:
    """Return the programs in Python among the files in git whose names do not show it. ruff finds only `*.py`."""
    return [name for name in _files() if "python3" in _first_line(ROOT / name) and not name.endswith(".py")]


def _files() -> list[str]:
    done = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [name for name in done.stdout.splitlines() if (ROOT / name).is_file()]


def _first_line(path: Path) -> str:
    with path.open("rb") as file:
        line = file.readline(80)
    return line.decode("ascii", "ignore").strip() if line.startswith(b"#!") else ""


def language_host_sources() -> list[str]:
    """Return the files of the Python language host."""
    return [str(file) for file in sorted(LANGUAGE_HOST.rglob("*.py"))]


def measured_tests() -> list[str]:
    """Return the files of tests whose coverage is measured."""
    tests = ROOT / "tests" / "unit"
    files = {file for folder in MEASURED for file in (tests / folder).rglob("test_*.py")}
    return [str(file.relative_to(ROOT)) for file in sorted(files - {tests / name for name in NOT_MEASURED})]


def checks() -> dict[str, list[str]]:
    """Return the commands, by the name of the check."""
    unit_tests = [f"{BIN}/pytest", "--quiet", "--all-programs", "-m", "not long", *WORKERS]
    return {
        "other unit tests": [
            *unit_tests,
            "tests/unit",
            *(f"--ignore={file}" for file in measured_tests()),
        ],
        "unit tests of components and idr": [*unit_tests, *COVERAGE, *measured_tests()],
        "style": [f"{BIN}/ruff", "check", "--quiet", "."],
        "style of programs": [f"{BIN}/ruff", "check", "--quiet", "--select", OF_PROGRAMS, *python_programs()],
        "layout": [f"{BIN}/ruff", "format", "--check", "--quiet", "."],
        "types": [f"{BIN}/mypy", *PACKAGES, "__main__.py"],
        "types of the language host": [f"{BIN}/mypy", *language_host_sources()],
        "YAML": [f"{BIN}/yamllint", "--strict", "."],
        "shell scripts": ["shellcheck", *shell_scripts()],
    }


@dataclass(frozen=True)
class Result:
    """The result of a check."""

    name: str
    passed: bool
    output: str
    seconds: float


def environment() -> dict[str, str]:
    """Return the environment of the checks. Compiled modules are kept: else each worker would compile all of them."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"MYPYPATH": str(LANGUAGE_HOST)}


def run(name: str, command: list[str]) -> Result:
    """Run a check."""
    start = time.monotonic()
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return Result(name, done.returncode == 0, done.stdout, time.monotonic() - start)


def main() -> int:
    """Run every check, also after one has failed; return the exit status."""
    console = Console(highlight=False)
    try:
        debian.ensure(debian.read_list(Path(__file__).with_name("check-packages.txt")), console.print)
    except debian.PackageError as error:
        console.print(f"[red]{error}[/red]")
        return 1
    all_passed = True
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for ended in as_completed([pool.submit(run, *check) for check in checks().items()]):
            result = ended.result()
            sys.stdout.write(result.output)
            console.print(f"{'ok  ' if result.passed else 'FAIL'} {result.name} ({result.seconds:.0f} s)")
            all_passed = all_passed and result.passed
    return 0 if all_passed else 1


if __name__ == "__main__":
    sys.exit(main())
