"""Fixtures of the unit tests."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
LONGEST_FIRST = (
    *("omero/test_distribution.py", "omero/test_steps.py", "cloudinit/test_upload.py", "frontend/test_flood.py"),
    *("frontend/test_cache.py", "frontend/test_visitors.py", "frontend/test_login.py", "cloudinit/test_services.py"),
    *("importer/test_worker.py", "importer/test_command.py", "importer/test_follow.py", "components/test_program.py"),
    *("idr/test_installed.py", "prewarm/test_run.py", "transfer/test_odd_trees.py"),
)
"""The slowest files. If one started last, it would run alone at the end, on one of the processors."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order the files as the workers start them."""
    order = {HERE / name: number for number, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: order.get(item.path, len(order)))


@pytest.fixture(scope="session", autouse=True)
def _python_itself(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let scripts use this interpreter as `python3`: pyenv's is a shell script, which takes longer to start."""
    folder = tmp_path_factory.mktemp("python")
    (folder / "python3").symlink_to(Path(sys.executable).resolve())
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PATH", str(folder), prepend=os.pathsep)
        yield
