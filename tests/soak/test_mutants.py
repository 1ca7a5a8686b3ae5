"""Faults that are inserted on purpose: `make check` notices each of them."""

from pathlib import Path

import pytest

from tests import mutants
from tests.mutants import Mutant


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return mutants.copy(tmp_path_factory.mktemp("mutants"))


@pytest.mark.parametrize("mutant", mutants.mutants(), ids=lambda mutant: mutant.name)
def test_a_fault_is_noticed(copy: Path, mutant: Mutant) -> None:
    assert mutants.notices(mutant, copy)
