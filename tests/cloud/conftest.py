"""The local IDR of `make up`, which all cloud tests share and leave running; and a second one, which is destroyed."""

import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest

from harness.cloud import tenant
from harness.cloud.service import Service, local
from harness.cloud.tenant import Tenant
from harness.stacks import ROOT

MINUTES_FOR_UP = 60
LINES_TO_TELL = 60


@pytest.fixture(scope="session")
def service() -> Service:
    """Return the service of `make up`. No test here works without it: the run ends with the reason."""
    done = subprocess.run(
        [sys.executable, "-m", "dev.local", "up"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=MINUTES_FOR_UP * 60,
    )
    if done.returncode:
        pytest.exit("\n".join(["make up failed:", *done.stdout.splitlines()[-LINES_TO_TELL:]]), returncode=1)
    return local()


@pytest.fixture(scope="session")
def second(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tenant]:
    """Start the same in another project, for tests that the first one must not suffer."""
    assert service.outputs
    stack = tenant.make(tmp_path_factory.mktemp("second"), "idr-second")
    try:
        stack.apply()
        yield stack
    finally:
        # Faster than `pulumi destroy`, which tests/soak/test_lifecycle.py tests.
        tenant.empty(stack)


@pytest.fixture
def visitor(service: Service) -> Iterator[httpx.Client]:
    """Open a client like a browser at the public address."""
    with service.browser() as client:
        yield client


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the measurements of the tests as a table."""
    reports = [report for kind in ("passed", "failed") for report in terminalreporter.stats.get(kind, [])]
    measured = [line for report in reports if report.when == "call" for line in report.user_properties]
    if measured:
        terminalreporter.section("measured")
    for what, value in measured:
        terminalreporter.line(f"{value:>8}  {what}")
