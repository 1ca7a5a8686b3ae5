"""Many mutations of the shipped stack files; `make check` runs a sample of them."""

from tests import mutations

COUNT = 3000
SEED = 17


def test_no_mutated_stack_file_ends_in_a_traceback_and_none_that_is_accepted_is_nonsense() -> None:
    _, wrong = mutations.run(COUNT, SEED)
    assert not wrong, "\n".join(wrong)
