"""A proxy in front of an OMERO.web where users log in: no user ever gets the answer for another user."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness import proxy
from tests.unit.frontend.clients import Front
from tests.unit.frontend.conftest import THUMBNAIL
from tests.unit.frontend.login import (
    ADA,
    BEN,
    LOGIN,
    NAME,
    OF_OMERO_WEB,
    PLAN,
    PRIVATE,
    STATIC,
    USERS,
    ask,
    kept,
    own,
    running,
    sample,
)
from tests.unit.frontend.test_cache import JSON


@pytest.fixture
def front(tmp_path: Path) -> Iterator[Front]:
    with running(tmp_path) as front:
        yield front


@pytest.mark.parametrize("cache_control", ["", "public, max-age=86400", "private, max-age=60"])
def test_two_users_never_see_each_others_answer(front: Front, cache_control: str) -> None:
    front.upstream.cache_control = cache_control
    front.upstream.more_headers = {"X-Accel-Expires": "3600", "Expires": "Thu, 31 Dec 2099 23:59:59 GMT", "ETag": '"1"'}
    for path in (*PRIVATE, *(f"{path}{'&' if '?' in path else '?'}callback=f&_=1" for path in JSON)):
        for user in USERS:
            answer = front.get(path, **user)
            assert (answer.status_code, answer.text) == (200, own(user)), path
            assert answer.headers["cache-control"] == (
                cache_control if "private" in cache_control else "private, no-store"
            )
            assert "x-cache-status" not in answer.headers
    assert "private-of" not in kept(front)


@pytest.mark.parametrize("status", [206, 302, 304, 400, 403, 404, 500, 502, 503])
def test_nor_a_failure_a_part_or_a_note_that_nothing_changed(front: Front, status: int) -> None:
    front.upstream.status = status
    front.upstream.more_headers = {"Location": "/webclient/", "ETag": '"1"', "Content-Range": "bytes 0-9/10"}
    asked = {"Range": "bytes=0-9", "If-None-Match": '"1"', "If-Modified-Since": "Thu, 01 Jan 2026 00:00:00 GMT"}
    for method in ("GET", "HEAD", "POST", "PUT", "DELETE"):
        for user in USERS:
            answer = front.visitor.request(method, THUMBNAIL, headers=asked | user)
            assert answer.status_code == status
            others = {"private-of-ada", "private-of-ben"} - {own(user).removeprefix(f"{NAME}=")}
            assert not [other for other in others if other in answer.text]
    assert front.upstream.asked[THUMBNAIL] == 25
    assert all(sent.get("if-none-match") == '"1"' for sent in front.upstream.headers)
    assert "private-of" not in kept(front)


def test_files_of_omero_webs_own_are_the_same_for_all_and_asked_for_by_nobody(front: Front) -> None:
    answers = [front.get(STATIC, **user) for user in USERS]
    assert [answer.headers["x-cache-status"] for answer in answers] == ["MISS", *["HIT"] * 4]
    assert {(answer.text, answer.headers["cache-control"]) for answer in answers} == {
        ("nobody", "public, max-age=3600")
    }
    assert not any("set-cookie" in answer.headers for answer in answers)
    (sent,) = front.upstream.headers
    assert "cookie" not in sent


def test_only_files_are_compressed(front: Front) -> None:
    front.upstream.body = "a secret beside a guess" * 1000
    asked = {"Accept-Encoding": "gzip, deflate, br"}
    for path in (*PRIVATE, *(f"{path}{'&' if '?' in path else '?'}callback=f" for path in JSON), LOGIN):
        assert "content-encoding" not in front.get(path, **ADA, **asked).headers, path
        assert "accept-encoding" not in front.upstream.headers[-1]
    assert front.get(STATIC, **ADA, **asked).headers["content-encoding"] == "gzip"


def test_no_other_cache_is_there() -> None:
    files = proxy.rendered(PLAN)
    conf = "".join(text for path, text in files.items() if path.endswith(".conf"))
    assert re.findall(r"^proxy_cache_path /var/cache/nginx/(\w+) ", conf, re.MULTILINE) == ["static"]
    assert set(re.findall(r'"~[^"]+" (\w+/\w+);', files["/etc/nginx/conf.d/addresses.conf"])) == {
        "static/none",
        "page/any",
    }


@given(
    path=st.sampled_from(OF_OMERO_WEB).flatmap(sample),
    query=st.sampled_from(["", "?", "?_=1", "?callback=f", "?a=b&&c", "?z=1&z=2"]),
    method=st.sampled_from(["GET", "GET", "HEAD", "POST", "DELETE"]),
)
@settings(max_examples=80, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_asked_for_nothing_but_a_file_is_kept(front: Front, path: str, query: str, method: str) -> None:
    received = [ask(front, method, quote(path) + query, user) for user in (ADA, BEN)]
    if path.startswith("/static/") and method in ("GET", "HEAD"):
        assert "private-of" not in received[0][1] + received[1][1]
    else:
        assert [status for status, _, _ in received] in ([200, 200], [400, 400], [404, 404])
        assert not received[0][2]
        assert not received[1][2]
        if received[0][0] == 200 and method != "HEAD":
            assert [text for _, text, _ in received] == [own(ADA), own(BEN)]
    assert "private-of" not in kept(front)
