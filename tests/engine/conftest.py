"""The real engine and plugins."""

from pathlib import Path

import pytest

from harness.project import Project, copy_program


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """The program with its stack files and an empty state."""
    return Project(copy_program(tmp_path))
