"""The cache's key depends on what OMERO.web gets; requests that are equal for OMERO.web share one."""

import http.client
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from harness import proxy
from tests.unit.frontend import upstream as upstreams
from tests.unit.frontend.conftest import PLAN, WEB


@dataclass
class Echoing:
    """A proxy in front of a server that answers with the requested address."""

    nginx: proxy.Nginx
    seen: set[str] = field(default_factory=set)

    def visitor(self, target: str) -> "Answer":
        """Return an answer, cached or not, to a request exactly as written."""
        trust = proxy.trust(PLAN)
        return ask(http.client.HTTPSConnection("127.0.0.1", self.nginx.https, context=trust, timeout=20), target)

    def past_the_cache(self, target: str) -> str:
        """Return the address that OMERO.web gets when this is requested again, past the cache."""
        return ask(http.client.HTTPConnection("127.0.0.1", self.nginx.bypass, timeout=20), target).body


@dataclass(frozen=True)
class Answer:
    """A complete answer; `cache` is the proxy's header on its cache, None without that header."""

    status: int
    cache: str | None
    body: str


def ask(connection: http.client.HTTPConnection, target: str) -> Answer:
    with closing(connection):
        connection.sock = None
        connection._validate_path = lambda _: None  # type: ignore[attr-defined]  # it refuses what is tried here
        connection.putrequest("GET", target, skip_accept_encoding=True)
        connection.putheader("Connection", "close")
        connection.endheaders()
        answer = connection.getresponse()
        return Answer(answer.status, answer.headers["X-Cache-Status"], answer.read().decode())


@pytest.fixture(scope="module")
def echoing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Echoing]:
    with ExitStack() as stack:
        upstream = stack.enter_context(upstreams.running(proxy.certificate(PLAN)))
        upstream.body = upstreams.ECHO
        nginx = proxy.Nginx(tmp_path_factory.mktemp("proxy"), {WEB: upstream.address})
        stack.enter_context(proxy.running(nginx, PLAN))
        yield Echoing(nginx)


ADDRESSES = [
    *("/webgateway/render_image/1/0/0/", "/webgateway/histogram_json/1/channel/0/", "/webgateway/imgData/1/size/"),
    *("/webclient/api/annotations/", "/static/webclient/x.css", "/api/v0/m/images/", "/iviewer/", "/figure/file/1/"),
]
PIECES = st.sampled_from(
    [
        *("?", "%3F", "%3f", "#", "%23", "&", "%26", "=", "/", "//", "%2F", ".", "..", "./", "%2e%2e/", "%0a", "+"),
        *("theZ=5", "theT=0", "z=1", "c=1|2", "image=1", "images=2", "_=1", "junk", "limit=3", "%7a=1", "%00", "%20"),
        *("a", "A", "%61", "%41", "%25", "%253F", ";", "\\", "%c3%a9", "1", "0/"),
    ]
)


@st.composite
def targets(draw: st.DrawFn) -> str:
    """Return cached addresses with something inserted: some stay valid, others only look so."""
    address = draw(st.sampled_from(ADDRESSES))
    index = draw(st.one_of(st.just(len(address)), st.integers(1, len(address))))
    return address[:index] + "".join(draw(st.lists(PIECES, max_size=6))) + address[index:]


@given(targets())
@settings(max_examples=80, deadline=None)
@example("/webgateway/histogram_json/1/channel/0/%3FtheZ=5")
@example("/webgateway/histogram_json/1/channel/0/?theZ=5")
@example("/webgateway/imgData/1/size%3FgetDefaults=true/")
@example("/static/x%3Fa=1")
@example("/static/x?a=1")
def test_what_omero_web_is_sent_is_the_key(echoing: Echoing, target: str) -> None:
    answer = echoing.visitor(target)
    if answer.status != http.HTTPStatus.OK or answer.cache is None:
        return
    assert answer.body == echoing.past_the_cache(target)
    assert answer.cache == ("HIT" if answer.body in echoing.seen else "MISS")
    echoing.seen.add(answer.body)
