"""From the proxy to OMERO.web: TLS, by the HAProxy beside gunicorn, verified by the node's name; and its queue."""

import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from harness import proxy, rendered, stacks
from harness.ports import free_port
from model.certificates import Certificate
from model.firewall import WEB_PORT
from model.roles import Role
from tests.unit.frontend import upstream as upstreams
from tests.unit.frontend.conftest import PLAN, THUMBNAIL

SECRETS = stacks.secrets_of("local")
NODE = PLAN.releases[0].with_role(Role.WEB)[0]
PAGE = "/webclient/?a=%2Fb&c=d//e"
FOLDER = "/etc/idr/web/"


@contextmanager
def beside_gunicorn(folder: Path, gunicorn: str) -> Iterator[int]:
    """Run the HAProxy of a web node on loopback; yields its port."""
    port = free_port()
    for path, content in rendered.files(NODE, PLAN, SECRETS).items():
        if path.startswith(FOLDER):
            text = content.replace(FOLDER, f"{folder}/")
            text = text.replace(f"bind {NODE.address}:{WEB_PORT}", f"bind 127.0.0.1:{port}")
            (folder / Path(path).name).write_text(text.replace(f"127.0.0.1:{WEB_PORT}", gunicorn))
    log = folder / "haproxy.log"
    with log.open("wb") as file:
        process = subprocess.Popen(["haproxy", "-db", "-f", folder / "haproxy.cfg"], stderr=file)
    try:
        try:
            proxy.wait_for(port, process)
        except proxy.StartError as error:
            msg = f"{error}: {log.read_text()}"
            raise proxy.StartError(msg) from None
        yield port
    finally:
        process.terminate()
        process.wait()


def trust(*, by_name: bool = True) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=SECRETS.authority.certificate)
    context.check_hostname = by_name
    return context


@pytest.fixture
def web(tmp_path: Path) -> Iterator[tuple[upstreams.Upstream, httpx.Client]]:
    with (
        upstreams.running() as gunicorn,
        beside_gunicorn(tmp_path, gunicorn.address) as port,
        httpx.Client(base_url=f"https://127.0.0.1:{port}", verify=trust(by_name=False), timeout=20) as client,
    ):
        yield gunicorn, client


def test_a_request_reaches_gunicorn_as_it_is(web: tuple[upstreams.Upstream, httpx.Client]) -> None:
    gunicorn, client = web
    assert client.get(PAGE, headers={"Host": "idr.example.org", "X-IDR-Kind": "page"}).text == "answer"
    assert gunicorn.asked == {PAGE: 1}
    assert gunicorn.headers[0]["host"] == "idr.example.org"
    assert gunicorn.headers[0]["x-idr-kind"] == "page"


def test_failures_and_headers_come_back_as_they_are(web: tuple[upstreams.Upstream, httpx.Client]) -> None:
    gunicorn, client = web
    gunicorn.status, gunicorn.body, gunicorn.more_headers = 503, "its own page", {"X-IDR-Failed": "1"}
    answer = client.get(PAGE)
    assert (answer.status_code, answer.text, answer.headers["X-IDR-Failed"]) == (503, "its own page", "1")


def test_without_gunicorn_the_node_answers_that_omero_web_is_away(tmp_path: Path) -> None:
    with beside_gunicorn(tmp_path, f"127.0.0.1:{free_port()}") as port:
        url = f"https://127.0.0.1:{port}/"
        assert httpx.get(url, verify=trust(by_name=False), timeout=20).status_code == 502


def answer_through_the_proxy(folder: Path, certificate: Certificate | None) -> int:
    with upstreams.running(certificate) as upstream:
        nginx = proxy.Nginx(folder, {str(NODE.address): upstream.address})
        with proxy.running(nginx, PLAN), httpx.Client(verify=proxy.trust(PLAN), timeout=20) as visitor:
            return visitor.get(f"https://127.0.0.1:{nginx.https}{THUMBNAIL}").status_code


@pytest.mark.parametrize(
    ("certificate", "status"),
    [
        pytest.param(SECRETS.certificate("test", (NODE.name,)), 200, id="the node's"),
        pytest.param(SECRETS.certificate("test", ("demo1-database",)), 502, id="another node's"),
        pytest.param(stacks.secrets_of("ebi").certificate("test", (NODE.name,)), 502, id="another stack's"),
        pytest.param(None, 502, id="no TLS"),
    ],
)
def test_the_proxy_asks_only_who_has_the_nodes_certificate(
    tmp_path: Path, certificate: Certificate | None, status: int
) -> None:
    assert answer_through_the_proxy(tmp_path, certificate) == status


PAGE_SECONDS = 0.1
HOSTILE, ORDINARY = "203.0.113.1", "203.0.113.2"
FLOOD = 80


def asked_for(client: httpx.Client, visitor: str, number: int) -> float:
    """Request a page as the proxy does for a visitor; return the seconds."""
    began = time.monotonic()
    assert client.get(f"/page/{visitor}/{number}", headers={"X-Forwarded-For": visitor}).status_code == 200
    return time.monotonic() - began


@pytest.fixture
def queue(web: tuple[upstreams.Upstream, httpx.Client]) -> tuple[upstreams.Upstream, httpx.Client]:
    """Run OMERO.web with the number of the node's workers, each of which takes a while for a page."""
    gunicorn, _ = web
    gunicorn.delay, gunicorn.workers = PAGE_SECONDS, threading.Semaphore(NODE.sizes.web_workers)
    return web


def test_a_visitors_flood_delays_nobody_else(queue: tuple[upstreams.Upstream, httpx.Client]) -> None:
    _, client = queue
    with ThreadPoolExecutor(FLOOD) as pool:
        flood = [pool.submit(asked_for, client, HOSTILE, number) for number in range(FLOOD)]
        time.sleep(2 * PAGE_SECONDS)
        page = [asked_for(client, ORDINARY, number) for number in range(3)]
        assert not all(one.done() for one in flood), "the flood was over: this test proves nothing"
    assert max(page) < 4 * PAGE_SECONDS, page
    assert max(one.result() for one in flood) > max(page)


def test_a_visitor_alone_has_all_workers(queue: tuple[upstreams.Upstream, httpx.Client]) -> None:
    gunicorn, client = queue
    with ThreadPoolExecutor(FLOOD) as pool:
        list(pool.map(lambda number: asked_for(client, ORDINARY, number), range(FLOOD)))
    assert gunicorn.most_at_once == NODE.sizes.web_workers


def test_requests_wait_for_workers_and_not_in_gunicorn(queue: tuple[upstreams.Upstream, httpx.Client]) -> None:
    gunicorn, client = queue
    visitors = [f"203.0.113.{number}" for number in range(40)]
    with ThreadPoolExecutor(FLOOD) as pool:
        list(pool.map(lambda visitor: asked_for(client, visitor, 0), visitors))
    assert gunicorn.most_at_once <= NODE.sizes.web_workers
