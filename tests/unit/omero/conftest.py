"""A machine of OMERO.server."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.omero import machine as machines
from tests.unit.omero.machine import Machine


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    with machines.running(tmp_path) as running_machine:
        yield running_machine
