"""Machines of OMERO.server."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness import stacks
from tests.unit.omero import machine as machines
from tests.unit.omero.machine import Machine

PLAN = stacks.plan_of("ebi")
WRITER = next(node for node in PLAN.nodes if node.alias == "omeroreadwrite")


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    with machines.running(tmp_path) as running_machine:
        yield running_machine


@pytest.fixture(scope="session")
def once_deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """Deploy a read-write server for the first time, to be copied."""
    with machines.running(tmp_path_factory.mktemp("deployed")) as running_machine:
        status, output = running_machine.apply(WRITER, PLAN)
        assert (status, output.count("\n")) == (0, 1), output
        yield running_machine


@pytest.fixture
def deployed(once_deployed: Machine) -> Iterator[Machine]:
    """Return a machine with a read-write server that was deployed once."""
    with machines.copied(once_deployed) as copy:
        yield copy
