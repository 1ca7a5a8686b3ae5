"""Fixtures of the unit tests."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session", autouse=True)
def _python_itself(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let scripts find this interpreter as `python3`: that of pyenv is a shell script, which takes longer to start."""
    folder = tmp_path_factory.mktemp("python")
    (folder / "python3").symlink_to(Path(sys.executable).resolve())
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PATH", str(folder), prepend=os.pathsep)
        yield
