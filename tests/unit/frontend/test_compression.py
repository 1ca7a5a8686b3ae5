"""The proxy compresses answers that are the same for everybody, and none that is for one visitor."""

import pytest

from tests.unit.frontend.clients import Front
from tests.unit.frontend.test_cache import KEPT, NOT_KEPT

COMPRESSED = {"Accept-Encoding": "gzip, deflate, br"}


def test_text_goes_out_compressed_and_pictures_as_they_are(front: Front) -> None:
    front.upstream.body = '{"a": 1}' * 1000
    answer = front.get("/api/v0/m/images/", **{"Accept-Encoding": "gzip"})
    assert (answer.headers["content-encoding"], answer.text) == ("gzip", front.upstream.body)
    assert "content-encoding" not in front.get("/api/v0/m/images/", **{"Accept-Encoding": "identity"}).headers
    assert sum(front.upstream.asked.values()) == 1


@pytest.mark.parametrize("content_type", ["text/html", "application/json", "text/javascript"])
def test_what_is_for_one_visitor_is_never_compressed(front: Front, content_type: str) -> None:
    """The length of an answer with a secret and a guess in it would show how good the guess is (BREACH)."""
    front.upstream.body, front.upstream.content_type = "a secret beside a guess" * 1000, content_type
    for path in NOT_KEPT:
        answer = front.get(path, **COMPRESSED)
        assert "content-encoding" not in answer.headers, path
        assert answer.text == front.upstream.body
        # Nor does OMERO.web or an application beside it.
        assert "accept-encoding" not in front.upstream.headers[-1]


def test_what_is_compressed_has_nothing_of_a_visitors(front: Front) -> None:
    front.upstream.body = "the same for everybody" * 1000
    compressed = 0
    for path in KEPT:
        answer = front.get(path, Cookie="sessionid_demo1=secret", Authorization="Basic c2VjcmV0", **COMPRESSED)
        compressed += "content-encoding" in answer.headers
        assert "set-cookie" not in answer.headers
        assert not {"cookie", "authorization", "accept-encoding"} & {*front.upstream.headers[-1]}
    assert compressed == sum("thumbnail" not in path for path in KEPT)
