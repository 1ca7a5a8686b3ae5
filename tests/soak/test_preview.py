"""Previews of every stack file by the real engine and plugins; `make test` has two of them."""

from pathlib import Path

import pytest

from harness import stacks
from harness.project import Project, copy_program
from tests.engine.test_preview import QUICK, shows_whole_stack

pytestmark = pytest.mark.engine


@pytest.mark.parametrize("stack", [stack for stack in stacks.LAYOUTS if stack not in QUICK])
def test_a_reviewer_without_credentials_sees_the_whole_stack(tmp_path: Path, stack: str) -> None:
    shows_whole_stack(Project(copy_program(tmp_path)), stack)
