"""A public service becomes a private one, and public again: who can log in and see what, and what the proxy keeps.

Each test continues where the previous one ended.
"""

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from harness.cloud.asking import PING, THUMBNAIL
from harness.cloud.service import NAME, Service
from harness.cloud.tenant import Tenant
from harness.steps import replaced
from tests.cloud.test_clients import WAYS

pytestmark = pytest.mark.cloud

LOGIN = "webclient/login/"
PAGES = [
    *("webclient/", "webclient/userdata/", "api/v0/m/screens/", "api/v0/m/plates/1/wells/?limit=400"),
    *("webgateway/plate/1/0/", "webgateway/imgData/1/", "webgateway/imgData/300/", THUMBNAIL),
    *("webgateway/render_thumbnail/300/", "webclient/metadata_details/image/1/", "webgateway/imgData/1/?callback=f"),
]
"""Ada has the images of the upper half of the plate, 1 to 192, and Ben those of the lower half."""
IMAGES = {"ada": re.compile(r"Demo image [A-H]\d\d"), "ben": re.compile(r"Demo image [I-P]\d\d")}
KEPT = "sudo grep -rlaE {} /var/cache/nginx /var/lib/nginx || true"


@pytest.fixture(scope="module")
def private(second: Tenant) -> Iterator[Service]:
    """Make the service private, with a public answer in its caches."""
    with second.service().browser() as visitor:
        assert visitor.get(THUMBNAIL).status_code == 200
        assert "Demo image" in visitor.get("webgateway/plate/1/0/").text
    second.configure(idr_visitors="login")
    assert not replaced(second.apply())
    yield second.service()
    second.configure(idr_visitors=None)
    second.apply()


@pytest.fixture(scope="module")
def password(private: Service) -> str:
    """Return the password of the demo's users."""
    return private.on(private.node("omeroreadwrite"), "sudo cat /etc/idr/omero/public-password")


def logged_in(browser: httpx.Client, user: str, password: str) -> httpx.Response:
    """Log in by the form; return the page after it."""
    browser.get(LOGIN)
    token = browser.cookies["csrftoken"]
    origin = str(browser.base_url).rstrip("/")
    form = {"username": user, "password": password, "server": "1", "csrfmiddlewaretoken": token}
    return browser.post(LOGIN, data=form, headers={"Origin": origin, "Referer": f"{origin}/{LOGIN}"})


@contextmanager
def users(service: Service, password: str) -> Iterator[dict[str, httpx.Client]]:
    """Open browsers of Ada and Ben, who have logged in."""
    with ExitStack() as stack:
        browsers = {name: stack.enter_context(service.browser()) for name in IMAGES}
        for name, browser in browsers.items():
            assert logged_in(browser, name, password).status_code == 200
            assert any(cookie.name.startswith("sessionid") and cookie.secure for cookie in browser.cookies.jar)
        yield browsers


def test_nobody_sees_anything_without_logging_in(private: Service) -> None:
    with private.browser() as visitor:
        for page in PAGES:
            answer = visitor.get(page)
            assert answer.status_code == 403 or "/webclient/login/" in str(answer.url), page
            assert "Demo image" not in answer.text
            assert "access-control-allow-origin" not in answer.headers
        assert visitor.get(PING).text != "OK"
        assert 'name="password"' in visitor.get("webclient/").text
    assert private.on(private.node("proxy"), KEPT.format("'Demo image'")) == "", "of the time when it was public"


def test_the_published_password_lets_nobody_in(private: Service) -> None:
    with private.browser() as visitor:
        assert "please check your credentials" in logged_in(visitor, "public", "public").text
        arguments = json.loads(visitor.get("connection/omero-client.json").text)
    assert [argument.split("=")[0] for argument in arguments] == ["--omero.host", "--Ice.Default.Router"]


def test_two_users_see_their_own_data_and_never_each_others(private: Service, password: str) -> None:
    seen: dict[str, int] = dict.fromkeys(IMAGES, 0)
    with users(private, password) as browsers:
        for page in [*PAGES, *PAGES]:
            for name, browser in browsers.items():
                answer = browser.get(page)
                (other,) = IMAGES.keys() - {name}
                assert not IMAGES[other].search(answer.text), f"{name}: {page}"
                assert other.title() not in answer.text, f"{name}: {page}"
                assert "private" in answer.headers["cache-control"]
                assert not answer.headers.get("x-cache-status")
                seen[name] += len(set(IMAGES[name].findall(answer.text)))
    assert all(number >= 192 for number in seen.values())


def test_no_cache_has_anything_of_theirs(private: Service) -> None:
    assert private.on(private.node("proxy"), KEPT.format("'Demo image|Ada|JFIF|csrfmiddlewaretoken'")) == ""
    assert set(private.on(private.node("proxy"), "ls /var/cache/nginx").split()) <= {"static", "lost+found"}


def test_a_session_ends_with_the_logout(private: Service, password: str) -> None:
    with users(private, password) as browsers:
        ada = browsers["ada"]
        session = next(cookie for cookie in ada.cookies.jar if cookie.name.startswith("sessionid"))
        origin = str(ada.base_url).rstrip("/")
        ada.post("webclient/logout/", headers={"Origin": origin, "X-CSRFToken": ada.cookies["csrftoken"]})
        ada.cookies.set(session.name, session.value or "")
        assert ada.get("api/v0/m/screens/").status_code == 403
        assert browsers["ben"].get("api/v0/m/screens/").status_code == 200


def test_programs_log_in_as_users_alone(private: Service, password: str, tmp_path: Path) -> None:
    client = private.client(tmp_path, NAME)
    for way in WAYS.values():
        assert client.omero("login", "-s", way, "-u", "ada", "-w", password).returncode == 0, way
        client.omero("logout")
        assert client.omero("login", "-s", way, "-u", "public", "-w", "public").returncode != 0, way


def test_every_node_is_well(private: Service) -> None:
    for node in private.nodes:
        assert private.on(node, "sudo /usr/local/sbin/idr-apply --status")
        assert private.on(node, "systemctl --failed --no-legend") == ""


def test_it_becomes_public_again(private: Service, second: Tenant) -> None:
    assert private.outputs
    second.configure(idr_visitors=None)
    assert not replaced(second.apply())
    with second.service().browser() as visitor:
        assert visitor.get(THUMBNAIL).status_code == 200
        assert visitor.get(PING).text == "OK"
        assert [visitor.get("webgateway/plate/1/0/").headers["x-cache-status"] for _ in range(2)] == ["MISS", "HIT"]
