"""Answers that are cut off or of another kind: the operator reads one line, and none counts as an empty list.

Two kinds of such answers are here, the others are in tests/soak/test_half_answers.py.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from harness.stacks import plan_of
from idr import cloud_state
from idr.cloud import CloudError, asking, connect
from idr.listing import listing
from tests.fake_cloud.cloud import FakeCloud, Service
from tests.fake_cloud.http import Answer, Call, CutError

pytestmark = pytest.mark.engine

PLAN = plan_of("local")


def half_text(answer: Answer) -> Answer:
    text = json.dumps(answer.body).encode()
    return replace(answer, body=text[: len(text) // 2])


def page(answer: Answer) -> Answer:
    return replace(answer, body=b"<html>gateway</html>", headers={**answer.headers, "Content-Type": "text/html"})


def none(_: Answer) -> Answer:
    raise CutError


FORMS: dict[str, Callable[[Answer], Answer]] = {
    "cut in its middle": lambda answer: replace(answer, truncated=True),
    "half of a text": half_text,
    "a page of a gateway": page,
    "without what was asked for": lambda answer: replace(answer, body={}),
    "null": lambda answer: replace(answer, body=b"null"),
    "a list": lambda answer: replace(answer, body=[]),
    "none at all": none,
    "no body": lambda answer: replace(answer, body=None),
}
QUICK = ("half of a text", "without what was asked for")


@contextmanager
def impatient() -> Iterator[FakeCloud]:
    """Start a cloud whose clients repeat a request without a pause."""
    with FakeCloud() as cloud, pytest.MonkeyPatch.context() as patch:
        for name, value in cloud.environment().items():
            patch.setenv(name, value)
        patch.setattr("keystoneauth1.session.time.sleep", lambda _: None)
        yield cloud


def ask_all() -> tuple[Any, Any]:
    """Send all requests that an `up` sends before it creates anything."""
    cloud = asking(lambda: connect(lambda _: None))
    return asking(lambda: listing(cloud, "local")), asking(lambda: cloud_state.read(cloud, PLAN))


def asked(cloud: FakeCloud) -> list[tuple[str, str]]:
    """Return the requests of `ask_all`, each once."""
    requests: dict[tuple[str, str], None] = {}

    def note(call: Call, service: Service) -> Answer:
        requests[call.method, call.path] = None
        return service(call)

    cloud.between = note
    ask_all()
    return list(requests)


@pytest.mark.parametrize("name", QUICK)
def test_a_strange_answer_to_any_question_is_one_line(name: str) -> None:
    with impatient() as fake:
        assert wrong_after(FORMS[name], fake) == []


def wrong_after(form: Callable[[Answer], Answer], fake: FakeCloud) -> list[str]:
    """Return the requests whose answer of this kind gives no message of one line, or counts as an empty list."""
    questions, (listed, _) = asked(fake), ask_all()
    wrong = []
    for method, path in questions:

        def disturb(call: Call, service: Service, at: tuple[str, str] = (method, path)) -> Answer:
            return form(service(call)) if (call.method, call.path) == at else service(call)

        fake.between = disturb
        try:
            # Without a version document, clients use the address in the catalog.
            assert ask_all()[0] == listed
        except CloudError as error:
            wrong += [str(error)] if "\n" in str(error) else []
        except Exception as error:  # noqa: BLE001  # whatever else an operator would see as a traceback
            wrong.append(f"{method} {path}: {error!r}")
    return wrong
