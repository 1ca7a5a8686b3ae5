"""What visitors can and cannot do at the proxy: cookies, logging in, too many requests, maintenance."""

import http.client
import re
import socket
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing

import httpx
import pytest

from harness import proxy
from model import balancing
from tests.unit.frontend.clients import Front
from tests.unit.frontend.conftest import LANDING, PLAN, PLATE, THUMBNAIL
from tests.waiting import wait_until

AT_ONCE = 16
PAGE = "/webclient/search/"
COMPRESSED = {"Accept-Encoding": "gzip, deflate, br"}
COOKIE = {"Cookie": "sessionid_demo1=somebodys; csrftoken=x"}


def test_cookies_reach_neither_a_kept_answer_nor_its_visitors(front: Front) -> None:
    for _ in range(2):
        answer = front.get(THUMBNAIL, **COOKIE, Authorization="Basic eDp5", Host="192.0.2.1")
        assert not {"set-cookie", "vary", "expires"}.intersection(answer.headers)
        assert answer.headers["cache-control"] == "public, max-age=3600"
    (sent,) = front.upstream.headers
    assert not {"cookie", "authorization"}.intersection(sent)
    assert (sent["host"], sent["x-forwarded-host"]) == ("demo.idr.internal", "demo.idr.internal")
    assert sent["x-idr-shared"] == "1"


def test_a_page_with_a_session_gets_its_cookie_and_gives_one(front: Front) -> None:
    answer = front.get(f"/{LANDING}", **COOKIE, **{"X-IDR-Shared": "1"})
    assert answer.headers["set-cookie"] == "sessionid_demo1=made-upstream; Path=/; Secure"
    (sent,) = front.upstream.headers
    assert sent["cookie"] == COOKIE["Cookie"]
    assert "x-idr-shared" not in sent


@pytest.mark.parametrize(
    ("path", "status"),
    [
        *(("/webclient/login/", 302), ("/webclient/login/?url=/x", 302), ("/webclient/%6cogin/", 302)),
        *(("/webclient//login", 302), ("/webclient/logout/", 302)),
        *(("/api/v0/login/", 403), ("/api/v0/token/", 403)),
        *(("/webclient/?bsession=x", 403), (f"{THUMBNAIL}?server=1&bsession=x", 403)),
        *(("/api/v0/m/images/?username=u&password=p", 403), ("/webclient/?b%73ession=x", 403)),
        *(
            ("/webclient/?a=b&%70ass%77ord=x", 403),
            ("/webclient/?userna%6De", 403),
            ("/webclient/?%6Csession=1&bsession", 403),
        ),
    ],
)
def test_nobody_logs_in(front: Front, path: str, status: int) -> None:
    assert front.visitor.post(path, data={"username": "u", "password": "p"}).status_code == status
    assert front.get(path).status_code == status
    assert not front.upstream.asked


@pytest.mark.parametrize(
    "path",
    [
        *("/webclient", "/webclient/", "/webclient/?", "/webclient/?utm_source=x", "/webclient//"),
        *("/webclient/userdata/", "/webclient/login/?url=/webclient/%3Fshow=image-1", "/webclient/logout/"),
    ],
)
def test_who_asks_for_no_data_in_particular_sees_everybodys(front: Front, path: str) -> None:
    answer = front.get(path)
    assert (answer.status_code, answer.headers["location"]) == (302, f"https://127.0.0.1:{front.nginx.https}/{LANDING}")
    assert not front.upstream.asked


@pytest.mark.parametrize("path", [f"/{LANDING}", "/webclient/?show=plate-1", "/webclient/userdata/?a=b&path=image=1"])
def test_who_asks_for_some_data_is_led_nowhere_else(front: Front, path: str) -> None:
    assert front.get(path).status_code == 200
    assert front.upstream.asked == {path: 1}


@pytest.mark.parametrize(
    "query", ["image%5B%5D=1", "filter%20name=x", "b%2Fsession=1", "%62session%5F=1", "a=username", "%"]
)
def test_encoded_names_that_are_no_credentials_are_no_login(front: Front, query: str) -> None:
    for path in ("/webclient/api/annotations/", PAGE):
        assert front.get(f"{path}?{query}").status_code == 200


def test_maintenance_shows_a_page_to_visitors_and_not_to_operators(front: Front) -> None:
    front.get(THUMBNAIL)
    flag = front.nginx.folder / "etc" / "maintenance"
    flag.touch()
    shown = front.get(THUMBNAIL)
    assert (shown.status_code, shown.headers["retry-after"]) == (503, "600")
    assert "under maintenance" in shown.text
    assert front.operator.get(THUMBNAIL).status_code == 200
    flag.unlink()
    assert front.get(THUMBNAIL).status_code == 200


def in_maintenance_and_away(front: Front, method: str, path: str) -> tuple[httpx.Response, httpx.Response]:
    """Return the answers during maintenance, and without OMERO.web; it is stopped afterwards."""
    flag = front.nginx.folder / "etc" / "maintenance"
    flag.touch()
    worked_on = front.visitor.request(method, path)
    flag.unlink()
    front.upstream.shutdown()
    front.upstream.server_close()
    away = front.visitor.request(method, path)
    return worked_on, away


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
@pytest.mark.parametrize("path", [THUMBNAIL, PAGE])
def test_every_method_learns_that_the_site_is_being_worked_on_or_away(front: Front, method: str, path: str) -> None:
    worked_on, away = in_maintenance_and_away(front, method, path)
    assert [(answer.status_code, answer.headers["retry-after"]) for answer in (worked_on, away)] == [
        (503, "600"),
        (502, "30"),
    ]
    assert {answer.headers["access-control-allow-origin"] for answer in (worked_on, away)} == {"*"}


@pytest.mark.parametrize("path", ["/api/v0/m/images/", "/webclient/api/images/", "/mapr/api/gene/"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_program_learns_it_in_its_own_language(front: Front, method: str, path: str) -> None:
    worked_on, away = in_maintenance_and_away(front, method, path)
    for answer, status, wait, word in (
        (worked_on, 503, "600", "under maintenance"),
        (away, 502, "30", "temporarily unavailable"),
    ):
        assert (answer.status_code, answer.headers["retry-after"]) == (status, wait)
        assert answer.headers["content-type"] == "application/json"
        assert word in answer.json()["message"]
        assert answer.headers.get_list("access-control-allow-origin") == ["*"]


def test_a_script_may_always_ask_whether_it_may_ask(front: Front) -> None:
    (front.nginx.folder / "etc" / "maintenance").touch()
    front.upstream.shutdown()
    front.upstream.server_close()
    for path in (THUMBNAIL, PAGE, "/webadmin/login/"):
        answer = front.visitor.options(
            path, headers={"Origin": "https://a.example.org", "Access-Control-Request-Method": "GET"}
        )
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (204, "*")


def test_what_the_proxy_says_omero_web_does_not_say_again(front: Front) -> None:
    front.upstream.more_headers = {
        "Access-Control-Allow-Origin": "https://a.example.org",
        "Access-Control-Allow-Credentials": "true",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "unsafe-url",
        "Content-Security-Policy": "default-src *",
        "Strict-Transport-Security": "max-age=60",
        "X-Cache-Status": "forged",
        "X-IDR-Failed": "",
        "X-Accel-Expires": "600",
    }
    for path in (THUMBNAIL, PAGE, "/webgateway/imgData/1/?callback=f", "/webgateway/render_image/1/0/0/"):
        headers = front.get(path).headers
        assert headers.get_list("access-control-allow-origin") == ["*"]
        assert len(headers.get_list("x-content-type-options")) == 1
        assert headers.get_list("referrer-policy") == ["same-origin"]
        assert "camera=()" in headers["permissions-policy"]
        (policy,) = headers.get_list("content-security-policy")
        assert policy.startswith("default-src 'self'; ")
        assert "*" not in policy
        assert set(headers.get_list("strict-transport-security")) <= {"max-age=15768000"}
        assert "forged" not in headers.get_list("x-cache-status")
        assert not [name for name in headers if name.startswith(("x-idr-", "x-accel-", "access-control-allow-c"))]


def test_a_head_is_a_get_without_the_body(front: Front) -> None:
    for path in (THUMBNAIL, PAGE):
        answer = front.visitor.head(path)
        assert (answer.status_code, answer.text, answer.headers["content-length"]) == (200, "", "6")


def test_other_sites_scripts_may_read_everything(front: Front) -> None:
    for path in (THUMBNAIL, f"/{LANDING}", "/webgateway/imgData/1/?callback=f"):
        assert front.get(path, Origin="https://viewer.example.org").headers["access-control-allow-origin"] == "*"
    asked = front.visitor.options("/api/v0/m/images/", headers={"Access-Control-Request-Method": "GET"})
    assert (asked.status_code, asked.headers["access-control-allow-methods"]) == (204, "GET, HEAD, OPTIONS")


def statuses(front: Front, paths: list[str], address: str) -> Counter[int]:
    """Return the statuses for a visitor from an address of loopback, one after another on one connection.

    By http.client: httpx takes ten times as long for a request.
    """
    counts: Counter[int] = Counter()
    visitor = http.client.HTTPSConnection(
        "127.0.0.1", front.nginx.https, context=proxy.trust(PLAN), timeout=20, source_address=(address, 0)
    )
    with closing(visitor):
        for path in paths:
            visitor.request("GET", path)
            answer = visitor.getresponse()
            answer.read()
            counts[answer.status] += 1
    return counts


def at_once(front: Front, paths: list[str], address: str) -> Counter[int]:
    """Return the same for many connections at once."""
    with ThreadPoolExecutor(AT_ONCE) as many:
        shares = [paths[number::AT_ONCE] for number in range(AT_ONCE)]
        return sum(many.map(lambda share: statuses(front, share, address), shares), Counter())


def limited(front: Front, paths: list[str]) -> Counter[int]:
    """Return the statuses for an address that the limits count."""
    return at_once(front, paths, "127.0.0.2")


def test_five_plate_pages_in_a_row_are_served_to_one_address(front: Front) -> None:
    page = [f"/webgateway/render_thumbnail/{number}/" for number in range(PLATE)]
    assert at_once(front, page, "127.0.0.1") == {200: PLATE}
    assert limited(front, page * 5) == {200: 5 * PLATE}


def test_what_costs_waits_its_turn_and_others_do_not_wait_for_it(front: Front) -> None:
    begun = time.monotonic()
    planes = [f"/webgateway/render_image/1/{number}/0/" for number in range(60)]
    with ThreadPoolExecutor(1) as hungry:
        statuses = hungry.submit(limited, front, planes)
        wait_until(lambda: sum(front.upstream.asked.values()) >= 2, 20, pause=0.01)
        assert front.get("/webgateway/render_image/2/0/0/").elapsed.total_seconds() < 0.5
        assert statuses.result() == {200: 60}
    rate = balancing.answers_a_second(PLAN.releases[0])
    assert time.monotonic() - begun > 0.8 * (60 - 1) / rate


def test_requests_that_nobody_waits_for_are_not_all_sent(front: Front) -> None:
    for number in range(300):
        with proxy.trust(PLAN).wrap_socket(
            socket.create_connection(("127.0.0.1", front.nginx.https), source_address=("127.0.0.2", 0))
        ) as wire:
            wire.sendall(f"GET /webgateway/render_image/3/{number}/0/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
    assert sum(front.upstream.asked.values()) < 150 + 15 * balancing.answers_a_second(PLAN.releases[0])


def test_hundreds_of_uncached_pages_from_one_address_are_too_many(front: Front) -> None:
    statuses = limited(front, [f"/{LANDING}"] * 300)
    assert statuses[200] >= 100
    assert statuses[429] > 50


def asked_by_name(front: Front, name: str | None, *, tls: bool, version: str = "1.1") -> str:
    """Return status line and Location of the answer to a request with that Host header, or without one."""
    with ExitStack() as stack:
        port = front.nginx.https if tls else front.nginx.http
        wire = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=5))
        if tls:
            wire = stack.enter_context(proxy.trust(PLAN).wrap_socket(wire))
        host = "" if name is None else f"Host: {name}\r\n"
        wire.sendall(f"GET /webclient/search/?a=b HTTP/{version}\r\n{host}Connection: close\r\n\r\n".encode())
        reply = b"".join(iter(lambda: wire.recv(65536), b"")).decode()
    location = re.search(r"^Location: (\S+)", reply, re.MULTILINE)
    return f"{reply.split()[1]} {location[1]}" if location else reply.split()[1]


@pytest.mark.parametrize("name", [PLAN.host_name, PLAN.host_name.upper(), f"{PLAN.host_name}:80", "192.0.2.7"])
def test_plain_http_leads_to_https_of_the_same_name(front: Front, name: str) -> None:
    expected = f"301 https://{name.lower().removesuffix(':80')}/webclient/search/?a=b"
    assert asked_by_name(front, name, tls=False) == expected
    assert asked_by_name(front, name, tls=True) == "200"
    assert front.get(PAGE).headers["strict-transport-security"] == "max-age=15768000"


@pytest.mark.parametrize(
    "name", ["evil.example.com", f"{PLAN.host_name}.evil.example.com", "_", "1.2.3.4.evil.org", "localhost"]
)
def test_a_name_that_is_not_this_sites_gets_nothing(front: Front, name: str) -> None:
    assert asked_by_name(front, name, tls=False) == "421"
    assert asked_by_name(front, name, tls=True) == "421"
    assert not front.upstream.asked


def test_an_old_client_that_names_no_host_is_led_to_this_sites_name(front: Front) -> None:
    assert asked_by_name(front, None, tls=False, version="1.0") == f"301 https://{PLAN.host_name}/webclient/search/?a=b"
    assert asked_by_name(front, None, tls=True, version="1.0") == "200"
