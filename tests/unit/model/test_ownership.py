"""Labels identify the owner of an object; its name does not."""

from hypothesis import given
from hypothesis import strategies as st

from model.ownership import Labels, stack_of, stack_of_metadata

NAMES = st.from_regex(r"[a-z][a-z0-9-]{0,20}", fullmatch=True)


@given(NAMES, NAMES, st.lists(NAMES, max_size=3))
def test_the_stack_can_be_read_back_from_each_form(stack: str, release: str, roles: list[str]) -> None:
    labels = Labels(stack, release, tuple(roles))
    assert stack_of_metadata(labels.metadata()) == stack
    assert stack_of(labels.tags(), "") == stack
    assert stack_of((), labels.description()) == stack


def test_an_object_without_labels_belongs_to_nobody() -> None:
    assert stack_of_metadata({"other": "ebi"}) is None
    assert stack_of(("colour=blue",), "idr-ebi bastion") is None
    assert stack_of((), None) is None


def test_a_name_that_begins_alike_is_another_stack() -> None:
    assert stack_of(Labels("ebi-test").tags(), Labels("ebi-test").description()) == "ebi-test"
