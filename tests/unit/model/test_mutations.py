"""A sample of tests/mutations.py: no mutated stack file causes a traceback, and no accepted one is nonsense.

tests/soak/test_mutations.py tries more of them.
"""

from harness import stacks
from tests import mutations, nonsense

SAMPLE = 60
SEED = 11


def test_a_mutated_stack_file_is_refused_with_a_message_or_makes_sense() -> None:
    outcomes, wrong = mutations.run(SAMPLE, SEED)
    assert not wrong, "\n".join(wrong)
    # Some mutations are refused and some accepted: they are of all kinds.
    assert 5 < outcomes["accepted"] < SAMPLE / 2


def test_the_same_number_and_seed_give_the_same_mutation() -> None:
    assert [mutations.mutation(n, SEED) for n in range(20)] == [mutations.mutation(n, SEED) for n in range(20)]


def test_nonsense_is_found_in_a_plan_that_has_it() -> None:
    """The checks that judge mutations can fail."""
    plan = stacks.plan_of("local")
    node = plan.nodes[1]
    twice = nonsense.replace_nodes(plan, (node, node))
    assert any("two nodes of one name" in text for text in nonsense.of_plan(twice, {}))
    texts = {"x /etc/idr/node.env": "http_proxy=http://a b\n", "y": "a\0b", "z bootstrap": "- a list"}
    assert len(list(nonsense.of_plan(plan, texts))) == len(texts)
