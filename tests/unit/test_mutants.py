"""The faults of tests/mutants.yaml can be inserted; tests/soak/test_mutants.py shows that tests notice each."""

import pytest

from harness.stacks import ROOT
from tests import mutants
from tests.mutants import MutantError


@pytest.mark.parametrize("mutant", mutants.mutants(), ids=lambda mutant: mutant.name)
def test_a_fault_has_its_line(mutant: mutants.Mutant) -> None:
    mutant.text_to_change(ROOT)
    assert mutant.old != mutant.new
    assert all((ROOT / test).exists() for test in mutant.tests)


def test_a_fault_without_a_line_is_an_error() -> None:
    with pytest.raises(MutantError, match="has its text 0 times, not once"):
        mutants.Mutant("x", "Makefile", "what is not in it", "").text_to_change(ROOT)
