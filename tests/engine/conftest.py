"""The real engine and plugins."""

from pathlib import Path

import pytest

from harness.project import Project, copy_program


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Copy the program with its stack files, and give it an empty state."""
    return Project(copy_program(tmp_path))
