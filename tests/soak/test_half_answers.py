"""Wrong answers of every kind to every request; `make test` has two of them."""

import pytest

from tests.engine.test_half_answers import FORMS, QUICK, impatient, wrong_after

pytestmark = pytest.mark.engine


@pytest.mark.parametrize("name", [name for name in FORMS if name not in QUICK])
def test_a_strange_answer_to_any_question_is_one_line(name: str) -> None:
    with impatient() as fake:
        assert wrong_after(FORMS[name], fake) == []
