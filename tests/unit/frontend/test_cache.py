"""What the proxy caches, under which key, and what it does when OMERO.web is slow or missing."""

import http.client
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path

import httpx
import pytest

from harness import proxy
from harness.cloud.asking import IMAGE
from tests.unit.frontend import upstream as upstreams
from tests.unit.frontend.clients import Front
from tests.unit.frontend.conftest import PLAN, THUMBNAIL, WEB

VIEWERS = 50
A_MOMENT = 2.1
"""Seconds until a failure has left the cache: it is kept for one, and nginx counts whole seconds."""

UPSTREAM_SECONDS = 0.8
"""The time of an answer of OMERO.web. nginx checks twice a second whether a waiting visitor's answer has come."""


KEPT = [
    "/webclient/render_thumbnail/size/96/1/",
    "/webclient/get_thumbnails/?id=1&id=2",
    "/webgateway/render_image/1/0/0/",
    "/webclient/render_image_region/1/0/0/?tile=0,0,0",
    "/webclient/metadata_details/screen/3/",
    "/webgateway/imgData/1/",
    "/webgateway/plate/1/0/",
    "/api/v0/m/images/1/",
    "/webclient/api/containers/?id=-1",
    "/iviewer/?images=1",
    "/webclient/img_detail/1/",
    "/webclient/img_detail/1",
    "/static/webclient/css/layout.css",
]
NOT_KEPT = [
    "/webclient/?show=plate-1",
    "/webclient/?experimenter=-1",
    "/webclient/keepalive_ping/",
    "/webadmin/myphoto/",
    "/webgateway/getImgRDef/",
]


@pytest.mark.parametrize("path", KEPT)
def test_what_is_the_same_for_everybody_is_fetched_once(front: Front, path: str) -> None:
    assert [front.get(path).headers["x-cache-status"] for _ in range(2)] == ["MISS", "HIT"]
    assert front.upstream.asked == {path: 1}


def test_pages_with_a_session_are_never_kept(front: Front) -> None:
    for path in NOT_KEPT:
        assert [front.get(path).status_code for _ in range(2)] == [200, 200]
    assert front.upstream.asked == dict.fromkeys(NOT_KEPT, 2)


@pytest.mark.parametrize(
    "path",
    [
        *("/api/v0/?_=1", "/api/v0/?", "/api/v0/?_=", "/api/v0/?callback=jQuery1_2&_=3", "/api/v0/?_=3&callback=f"),
        *("/api//v0/", "//api/v0/", "/api/./v0/", "/api/%76%30/", "/webclient/../api/v0/", "/api%2fv0/"),
    ],
)
def test_a_cache_buster_a_callback_or_another_spelling_is_the_same_answer(front: Front, path: str) -> None:
    front.get("/api/v0/")
    assert ask_literally(front, path) == "HIT"
    assert front.upstream.asked == {"/api/v0/": 1}


def ask_literally(front: Front, path: str) -> str:
    """Return the cache status of a request for `path` exactly as written, which httpx would normalize."""
    connection = http.client.HTTPSConnection("127.0.0.1", front.nginx.https, context=proxy.trust(PLAN))
    with closing(connection):
        connection.request("GET", path)
        return str(connection.getresponse().headers["X-Cache-Status"])


@pytest.mark.parametrize(
    "query",
    [
        *("_=1&z=3&c=1|2", "z=3&_=1&c=1|2", "z=3&c=1|2&_=1", "callback=f&z=3&c=1|2", "z=3&c=1|2&callback=f&_=1"),
        *("z=3&c=1|2&", "&z=3&&c=1|2", "dummy=&z=3&x_=1&&my_callback=2&c=1|2&junk", "Z=4&z=3&%7a=5&c=1|2"),
    ],
)
def test_arguments_that_make_another_answer_are_the_key_and_no_others(front: Front, query: str) -> None:
    plane = "/webgateway/render_image/1/0/0/"
    assert front.get(f"{plane}?{query}").status_code == 200
    assert front.upstream.asked == {f"{plane}?z=3&c=1|2": 1}
    assert front.get(f"{plane}?z=3&c=1|2").headers["x-cache-status"] == "HIT"
    assert front.get(plane).headers["x-cache-status"] == "MISS"


def test_made_up_arguments_make_no_answers(front: Front) -> None:
    for number in range(20):
        assert front.get(f"/webclient/render_image/2850181/10/0/?dummy={number}&junk").status_code == 200
    assert front.upstream.asked == {"/webclient/render_image/2850181/10/0/": 1}


def test_arrays_and_repeated_arguments_stay_as_they_were_sent(front: Front) -> None:
    for query in ("image=1&image=2&_=7", "image[]=1&image%5B%5D=2", "type=map&parents=true&screen=3"):
        front.get(f"/webclient/api/annotations/?{query}")
    sent = [address.partition("?")[2] for address in front.upstream.asked]
    assert sent == ["image=1&image=2", "image[]=1&image%5B%5D=2", "type=map&parents=true&screen=3"]


def test_arguments_that_no_browser_sends_so_are_refused(front: Front) -> None:
    mixed = "&".join(f"z={number}&junk={number}" for number in range(9))
    assert front.get(f"/webgateway/render_image/1/0/0/?{mixed}").status_code == 400
    assert not front.upstream.asked


JSON = [
    "/webgateway/get_thumbnails/?id=1&id=2",
    "/webclient/get_thumbnail/1/",
    "/webgateway/imgData/1/",
    "/webgateway/plate/1/0/",
    "/api/v0/m/images/1/",
    "/webclient/api/annotations/?image=1",
    "/iviewer/image_data/1/",
    "/figure/imgData/1/",
]


@pytest.mark.parametrize("path", JSON)
def test_jsonp_is_built_from_the_one_json_answer(front: Front, path: str) -> None:
    front.upstream.body = '{"id": 1}'
    joined = f"{path}&" if "?" in path else f"{path}?"
    first = front.get(f"{joined}callback=jQuery35_17&_=1")
    second = front.get(f"{joined}callback=other.name")
    assert (first.text, second.text) == ('jQuery35_17({"id": 1})', 'other.name({"id": 1})')
    assert {answer.headers["content-type"] for answer in (first, second)} == {"application/javascript"}
    plain = front.get(path)
    assert (plain.text, plain.headers["content-type"]) == ('{"id": 1}', "application/json")
    assert front.upstream.asked == {path: 1}


@pytest.mark.parametrize("content_type", ["image/jpeg", "text/html; charset=utf-8"])
def test_a_callback_changes_no_answer_that_is_not_json(front: Front, content_type: str) -> None:
    front.upstream.content_type = content_type
    for path in ("/webgateway/render_image/1/0/0/", "/static/webgateway/css/x.css", "/iviewer/"):
        answer = front.get(f"{path}?callback=jQuery1_2&_=3")
        assert (answer.text, answer.headers["content-type"]) == ("answer", content_type)


def test_a_failure_is_shown_as_it_is_whatever_callback_was_named(front: Front) -> None:
    front.upstream.status, front.upstream.body = 404, '{"message": "no such image"}'
    answer = front.get("/webgateway/imgData/1/?callback=f")
    assert (answer.status_code, answer.text) == (404, front.upstream.body)
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize("callback", ["alert(1)", "a%3Cscript", "x;y", "%0d%0aX"])
def test_a_callback_that_is_no_name_is_refused(front: Front, callback: str) -> None:
    assert front.get(f"/webgateway/imgData/1/?callback={callback}").status_code == 400
    assert not front.upstream.asked


def test_fifty_viewers_of_a_cold_answer_make_one_request(front: Front) -> None:
    front.upstream.delay = 0.5
    with ThreadPoolExecutor(VIEWERS) as viewers:
        answers = list(viewers.map(lambda _: front.visitor.get(THUMBNAIL), range(VIEWERS)))
    assert {answer.status_code for answer in answers} == {200}
    assert front.upstream.asked == {THUMBNAIL: 1}


def test_only_success_is_kept(front: Front) -> None:
    paths = {status: f"/webgateway/render_thumbnail/{status}/" for status in (204, 301, 302, 403, 404, 408, 500)}
    for status, path in paths.items():
        front.upstream.status = status
        failed = front.get(path)
        assert (failed.status_code, failed.headers.get("cache-control")) == (status, None)
    time.sleep(A_MOMENT)
    front.upstream.status = 200
    answers = {status: front.get(path) for status, path in paths.items()}
    later = {status: (answer.status_code, answer.headers["x-cache-status"]) for status, answer in answers.items()}
    assert later == dict.fromkeys(paths, (200, "EXPIRED"))


def test_an_answer_that_says_failed_is_not_kept_whatever_its_status(front: Front) -> None:
    path = "/webgateway/get_thumbnails/?id=101&id=102"
    front.upstream.more_headers = {"X-IDR-Failed": "1"}
    front.upstream.body = '{"101": null}'
    first = front.get(path)
    assert (first.status_code, first.text) == (200, front.upstream.body)
    assert not {"x-idr-failed", "cache-control"}.intersection(first.headers)
    time.sleep(A_MOMENT)
    front.upstream.more_headers, front.upstream.body = {}, '{"101": "data:image/jpeg;base64,AA=="}'
    assert [front.get(path).text for _ in range(2)] == [front.upstream.body] * 2
    assert front.upstream.asked[path] == 2


@pytest.mark.parametrize("status", [204, 301, 403, 404, 408, 410, 429, 500, 504])
def test_what_is_not_kept_makes_nobody_wait_in_a_line(front: Front, status: int) -> None:
    front.upstream.status, front.upstream.delay = status, UPSTREAM_SECONDS
    assert all(seconds < 3 * UPSTREAM_SECONDS for seconds in at_once(front, THUMBNAIL, status))


def test_nor_does_a_success_that_says_failed(front: Front) -> None:
    front.upstream.more_headers, front.upstream.delay = {"X-IDR-Failed": "1"}, UPSTREAM_SECONDS
    assert all(seconds < 3 * UPSTREAM_SECONDS for seconds in at_once(front, THUMBNAIL, 200))


def at_once(front: Front, path: str, status: int, visitors: int = 20) -> list[float]:
    """Return the seconds that each of these visitors, all at once, waits for an answer with that status."""

    def ask(_: int) -> float:
        answer = front.visitor.get(path)
        assert answer.status_code == status
        return answer.elapsed.total_seconds()

    with ThreadPoolExecutor(visitors) as many:
        return list(many.map(ask, range(visitors)))


def test_what_tests_on_guests_take_for_uncached_is_asked_for_each_time(front: Front) -> None:
    pages = {f"/{IMAGE.format(number)}" for number in range(3)}
    assert {front.get(page).headers["x-cache-status"] for page in pages} == {"MISS"}
    assert set(front.upstream.asked) == pages


def test_what_is_kept_is_served_when_omero_web_is_away(front: Front) -> None:
    for path in KEPT:
        front.get(path)
    front.upstream.shutdown()
    front.upstream.server_close()
    assert {front.get(path).status_code for path in KEPT} == {200}
    gone = front.get("/webclient/?experimenter=-1")
    assert (gone.status_code, gone.headers["retry-after"]) == (502, "30")
    assert "try again" in gone.text


def test_the_operators_address_fetches_anew_for_all(front: Front) -> None:
    front.get(THUMBNAIL)
    front.upstream.body = "newer"
    assert front.get(THUMBNAIL).text == "answer"
    assert front.operator.get(THUMBNAIL).text == "newer"
    assert front.get(THUMBNAIL).text == "newer"


def test_the_operators_address_shows_failures_as_they_are(front: Front) -> None:
    front.get(THUMBNAIL)
    front.upstream.status = 500
    assert front.operator.get(THUMBNAIL).status_code == 500
    assert front.get(THUMBNAIL).status_code == 200


def test_what_is_kept_survives_a_restart_and_a_new_host_name(tmp_path: Path) -> None:
    with ExitStack() as stack:
        upstream = stack.enter_context(upstreams.running(proxy.certificate(PLAN)))
        for name in (PLAN.host_name, "192.0.2.1"):
            nginx = proxy.Nginx(tmp_path, {WEB: upstream.address})
            with proxy.running(nginx, PLAN), httpx.Client(verify=proxy.trust(PLAN)) as visitor:
                answer = visitor.get(f"https://127.0.0.1:{nginx.https}{THUMBNAIL}", headers={"Host": name})
                assert answer.status_code == 200
    assert upstream.asked == {THUMBNAIL: 1}
