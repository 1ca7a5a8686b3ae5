"""A proxy in front of an OMERO.web where users log in: what is open, how they log in, what they may send."""

import http.client
import json
import re
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import django
import httpx
import pytest
from django.conf import settings as django_settings
from django.http import HttpResponse
from django.middleware.csrf import CsrfViewMiddleware
from django.test import RequestFactory
from django.test.utils import override_settings
from hypothesis import given, settings

from harness import proxy
from model import addresses, balancing
from model.addresses import Address
from tests.unit.frontend.clients import Front
from tests.unit.frontend.conftest import THUMBNAIL
from tests.unit.frontend.login import (
    ADA,
    APPS,
    BEN,
    LOGIN,
    NAME,
    NEVER,
    PLAN,
    PRIVATE,
    STATIC,
    ask,
    kept,
    own,
    running,
    sample,
)
from tests.unit.frontend.test_programs import CLIENT
from tests.waiting import wait_until


@pytest.fixture
def front(tmp_path: Path) -> Iterator[Front]:
    with running(tmp_path) as front:
        yield front


STAYS_CLOSED = sorted(
    {(one.prefix, one.pattern) for one in addresses.table()}
    - {(one.prefix, one.pattern) for one in addresses.opened_for_users(APPS)}
)


def test_what_stays_closed_is_in_the_table() -> None:
    never = {(prefix, pattern) for prefix, patterns in addresses._file()["never"].items() for pattern in patterns}
    assert set(STAYS_CLOSED) == never


@pytest.mark.parametrize(("prefix", "pattern"), STAYS_CLOSED)
def test_no_pattern_opens_for_users_what_stays_closed(prefix: str, pattern: str) -> None:
    opened = re.compile("|".join(f"(?:{one.regex})" for one in addresses.opened_for_users(APPS)))

    @settings(max_examples=20, deadline=None, database=None)
    @given(sample(Address("", prefix, pattern, addresses.CLOSED, addresses.ANY)))
    def closed(path: str) -> None:
        assert not opened.fullmatch(path.removeprefix("/"))

    closed()


def test_what_stays_closed_reaches_no_omero_web(front: Front) -> None:
    for path in NEVER:
        for ask_as in (front.visitor, front.operator):
            statuses = {ask_as.request(method, path, headers=ADA).status_code for method in ("GET", "POST", "PUT")}
            assert statuses == {404}, path
    assert not front.upstream.asked


@pytest.mark.parametrize(
    "path",
    [
        *("/feedback/feedback/..%2F..%2Fwebclient%2F", "/webgateway/su/ada%2F..%2F..%2F..%2Fwebclient%2F"),
        *("/webgateway/su/ada/../../../webclient/", "//webclient//./", "/%77ebclient/"),
    ],
)
def test_omero_web_is_asked_for_what_was_looked_up(front: Front, path: str) -> None:
    status, _, _ = ask(front, "POST", path, ADA)
    assert status == 200
    assert front.upstream.asked == {"/webclient/": 1}


def test_users_write(front: Front) -> None:
    paths = [
        "/webclient/action/addnewcontainer/",
        "/webclient/annotate_tags/",
        "/api/v0/m/save/",
        "/webadmin/myaccount/",
    ]
    paths += ["/iviewer/persist_rois/", "/figure/save_web_figure/", "/webclient/script_run/1/", "/webclient/logout/"]
    for path in paths:
        for method in ("POST", "PUT", "DELETE"):
            answer = front.visitor.request(method, f"{path}?a=b", headers=ADA, content=b"name=x")
            assert answer.text == own(ADA)
            assert front.upstream.received.pop() == (method, f"{path}?a=b", b"name=x")


def test_an_attachment_of_many_megabytes_arrives_and_stays_nowhere(front: Front) -> None:
    attachment = b"private-of-ada " * 600_000
    assert front.visitor.post("/webclient/annotate_file/", content=attachment, headers=ADA).status_code == 200
    assert front.upstream.received == [("POST", "/webclient/annotate_file/", attachment)]
    assert "private-of" not in kept(front)


def test_too_large_an_attachment_is_refused_at_once(front: Front) -> None:
    connection = http.client.HTTPSConnection("127.0.0.1", front.nginx.https, context=proxy.trust(PLAN))
    with closing(connection):
        connection.putrequest("POST", "/webclient/annotate_file/")
        connection.putheader("Content-Length", str(2**30 + 1))
        connection.endheaders()
        assert connection.getresponse().status == 413
    assert not front.upstream.asked


def test_a_session_is_the_users_and_goes_by_tls_alone(front: Front) -> None:
    answer = front.get("/webclient/", **ADA, **{"X-IDR-Shared": "1", "X-IDR-Kind": "static"})
    assert answer.headers["set-cookie"] == f"{NAME}=made-upstream; Path=/; Secure"
    (sent,) = front.upstream.headers
    assert not {"x-idr-shared", "x-idr-kind"}.intersection(sent)
    assert answer.headers["cache-control"] == front.upstream.cache_control


def test_no_other_site_may_read_anything(front: Front) -> None:
    foreign = {"Origin": "https://a.example.org"} | ADA
    front.upstream.more_headers = {"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Credentials": "true"}
    asked = [front.visitor.get(path, headers=foreign) for path in (THUMBNAIL, STATIC, "/closed/", CLIENT, LOGIN)]
    asked.append(front.visitor.options(THUMBNAIL, headers=foreign | {"Access-Control-Request-Method": "GET"}))
    (front.nginx.folder / "etc" / "maintenance").touch()
    asked += [front.visitor.get(path, headers=foreign) for path in (THUMBNAIL, "/api/v0/m/images/")]
    (front.nginx.folder / "etc" / "maintenance").unlink()
    front.upstream.shutdown()
    front.upstream.server_close()
    asked += [front.visitor.get(path, headers=foreign) for path in (THUMBNAIL, "/api/v0/m/images/")]
    assert [answer.status_code for answer in asked] == [200, 200, 404, 200, 200, 204, 503, 503, 502, 502]
    for answer in asked:
        assert not [name for name in answer.headers if name.startswith("access-control-")], answer.url
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'self'" in answer.headers["content-security-policy"]
        assert len(answer.headers.get_list("cache-control")) <= 1


@pytest.mark.parametrize("query", ["bsession=x", "username=u&password=p", "b%73ession=x", "password"])
def test_nobody_logs_in_by_an_address(front: Front, query: str) -> None:
    for path in ("/webclient/", LOGIN, THUMBNAIL):
        assert front.get(f"{path}?{query}", **ADA).status_code == 403
    assert not front.upstream.asked


def statuses(front: Front, method: str, path: str, number: int, user: dict[str, str]) -> Counter[int]:
    """Return the statuses of these requests from an address that the limits count."""
    transport = httpx.HTTPTransport(verify=proxy.trust(PLAN), local_address="127.0.0.2")
    with httpx.Client(transport=transport, base_url=f"https://127.0.0.1:{front.nginx.https}", timeout=60) as visitor:
        return Counter(visitor.request(method, path, headers=user).status_code for _ in range(number))


@pytest.mark.parametrize("path", [LOGIN, "/webclient/%6cogin", "/api/v0/login/"])
def test_an_institute_logs_in_and_a_guesser_does_not_get_far(front: Front, path: str) -> None:
    counts = statuses(front, "POST", path, 90, {})
    assert counts[200] >= 60
    assert counts[429] >= 20
    assert statuses(front, "GET", LOGIN, 5, {}) == {200: 5}
    assert front.visitor.post(LOGIN).status_code == 200, "from another address"


def test_a_users_many_requests_wait_and_a_colleague_behind_the_same_address_does_not(front: Front) -> None:
    begun = time.monotonic()
    with ThreadPoolExecutor(30) as hungry:
        many = [hungry.submit(statuses, front, "GET", THUMBNAIL, 2, ADA) for _ in range(30)]
        wait_until(lambda: sum(front.upstream.asked.values()) >= 2, 20, pause=0.01)
        asked = time.monotonic()
        assert statuses(front, "GET", "/webclient/", 1, BEN) == {200: 1}
        assert time.monotonic() - asked < 1
        assert sum((one.result() for one in many), Counter()) == {200: 60}
    assert time.monotonic() - begun > 0.8 * (60 - 1) / balancing.answers_a_second(PLAN.releases[0])


def test_programs_get_where_and_not_who(front: Front) -> None:
    answer = front.get(CLIENT)
    answer_data = json.loads(answer.text)
    assert [argument.partition("=")[0] for argument in answer_data] == ["--omero.host", "--Ice.Default.Router"]
    assert answer.headers["cache-control"] == "no-store"
    assert "pass" not in answer.text


@pytest.mark.parametrize("path", ["/api/v0/servers/", "/api/v0/servers", "/api//v0/servers/?a=b", "/%61pi/v0/servers/"])
def test_programs_get_the_server_by_its_public_name(front: Front, path: str) -> None:
    assert front.get(path).json()["data"] == [{"id": 1, "host": PLAN.host_name, "port": 4064, "server": "omero"}]
    assert not front.upstream.asked


def test_operators_on_the_machine_come_in_during_maintenance(front: Front) -> None:
    (front.nginx.folder / "etc" / "maintenance").touch()
    for path in PRIVATE:
        assert front.operator.get(path, headers=BEN).text == own(BEN)
        assert front.visitor.get(path, headers=BEN).status_code == 503
    assert "private-of" not in kept(front)


@pytest.mark.parametrize(
    ("origin", "is_taken"), [("https://127.0.0.1", True), ("http://127.0.0.1", False), ("https://a.example.org", False)]
)
def test_django_takes_forms_of_this_site_alone(front: Front, origin: str, *, is_taken: bool) -> None:
    """By Django's own middleware, with the request that the proxy passes on."""
    token = "a" * 32
    sent = {"Cookie": f"csrftoken={token}", "X-CSRFToken": token, "Origin": origin}
    # The name as on a machine, where the port is 443.
    sent |= {"Host": "127.0.0.1", "X-Forwarded-Host": "a.example.org", "X-Forwarded-Proto-OMERO-Web": "http"}
    assert front.visitor.post(LOGIN, headers=sent).status_code == 200
    (seen,) = front.upstream.headers
    if not django_settings.configured:
        django_settings.configure(ALLOWED_HOSTS=["*"])
        django.setup()
    with override_settings(
        USE_X_FORWARDED_HOST=True, SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO_OMERO_WEB", "https")
    ):
        request = RequestFactory().post(LOGIN, headers=seen)
        request.COOKIES["csrftoken"] = token
        middleware = CsrfViewMiddleware(lambda _: HttpResponse())
        middleware.process_request(request)
        refused = middleware.process_view(request, lambda _: HttpResponse(), (), {})
    assert (refused is None) == is_taken
