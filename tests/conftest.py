"""Fixtures of all tests, and the messages about programs that a machine lacks."""

import gc
import os
import shutil
import signal
import subprocess
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import settings

# The duration of a case depends more on the load of the machine than on the code.
settings.register_profile("idr", deadline=None)
settings.load_profile("idr")

# Modules, tests and reports live until the end. With Python's default of 700 objects each collection visits them again.
gc.set_threshold(100_000)


# In the background of a script a shell has programs ignore Ctrl-C. Commands of idr keep that, as others do: it is for
# what runs in the foreground. Tests interrupt their own programs by it.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    """Exclude all imported and collected objects from later garbage collections."""
    gc.freeze()


HERE = str(Path(__file__).relative_to(Path(__file__).parents[1]))
ALL = "--all-programs"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option of `make check`, which installs missing programs: it skips no test."""
    parser.addoption(ALL, action="store_true", help="a program that is missing fails the tests that need it")


def pytest_configure(config: pytest.Config) -> None:
    """Add the marker for programs that a script of a test calls: without it a missing one looks like a failure."""
    config.addinivalue_line("markers", "needs(*programs): programs that the test's scripts call")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test that cannot run on this machine."""
    for marker in item.iter_markers("needs"):
        for program in marker.args:
            if not is_here(program):
                raise FileNotFoundError(2, "is not installed", program)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Print one line for a missing program in the summary, however many tests need it."""
    report = yield
    program = _missing_program(call.excinfo) if call.excinfo else None
    if program:
        text = f"{program} is not installed (dev/check-packages.txt; `make check` installs it)"
        if item.config.getoption(ALL):
            report.longrepr = text
        else:
            report.outcome = "skipped"
            report.longrepr = (HERE, 1, text)
    return report


def is_here(program: str) -> bool:
    """Return whether a program can be started, also one for root."""
    return shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin:/sbin") is not None


def _missing_program(error: pytest.ExceptionInfo[BaseException]) -> str | None:
    """Return the program that could not be started because it is missing."""
    if not isinstance(error.value, FileNotFoundError) or error.value.filename is None:
        return None
    program = os.fsdecode(error.value.filename)
    starting = Path(str(error.traceback[-1].path)) in (Path(subprocess.__file__), Path(__file__))
    return Path(program).name if starting and not is_here(program) else None
