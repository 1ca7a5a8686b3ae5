"""Sends repeated requests like visitors, and measures for how long they failed; reads the certificate."""

import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise

import httpx

from harness.cloud.service import Service

THUMBNAIL = "webgateway/render_thumbnail/1/"
"""A page that the proxy caches."""
PING = "webclient/keepalive_ping/"
"""A page that the proxy does not cache: OMERO.web needs Redis and OMERO.server for it."""
IMAGE = "api/v0/m/images/1/?normalize={}"
"""A different page each time, so that no cache has it: OMERO.server asks the database. The proxy removes arguments that
OMERO.web does not read; this one is read."""
PAUSE_SECONDS = 0.2
PATIENCE_SECONDS = 10


@dataclass
class Asked:
    """The times of the requests, and the problems with their responses; the last request is sent after the end."""

    answers: list[tuple[float, str]] = field(default_factory=list)

    @property
    def failures(self) -> list[str]:
        """Return the errors that visitors saw."""
        return sorted({wrong for _, wrong in self.answers if wrong})

    @property
    def seconds_of_failure(self) -> float:
        """Return the sum of the times from each failed request to the next one."""
        return sum(later - when for (when, wrong), (later, _) in pairwise(self.answers) if wrong)


@contextmanager
def asking(service: Service, *pages: str) -> Iterator[Asked]:
    """Ask for pages several times per second, each time as a new visitor with a new connection.

    Without `pages`, ask for what no cache has.
    """
    asked, context, chosen = Asked(), service.trust(), pages or (PING, IMAGE)
    with repeated(lambda: asked.answers.append((time.monotonic(), _wrong(service, context, chosen))), PAUSE_SECONDS):
        yield asked


@contextmanager
def repeated(ask: Callable[[], object], pause: float) -> Iterator[None]:
    """Call `ask` repeatedly while the block runs, with a pause in seconds, and once more after its end."""
    ended = threading.Event()

    def run() -> None:
        while True:
            last = ended.is_set()
            ask()
            if last:
                return
            ended.wait(pause)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _wrong(service: Service, context: ssl.SSLContext, pages: Sequence[str]) -> str:
    """Return the problems of new visitors' pages; empty if there are none."""
    paths = [page.format(time.monotonic_ns()) for page in pages]
    return " and ".join(path for path in paths if not _served(service, context, path)).partition("?")[0]


def _served(service: Service, context: ssl.SSLContext, path: str) -> bool:
    """Return whether a visitor with a new connection gets a page.

    Not over HTTP/2: a reloading nginx announces which streams it will still answer (RFC 9113, 6.8), and httpx cancels
    these (encode/httpcore, pull request 1054). Only one page: the server may close an idle connection while a second
    request is sent, which a browser then repeats (RFC 9112, 9.3.1).
    """
    with service.browser(context, PATIENCE_SECONDS, http2=False) as visitor:
        return answers(visitor, path)


def answers(browser: httpx.Client, path: str) -> bool:
    """Return whether a page is as expected. The status of the ping is always 200, so its body is checked."""
    try:
        page = browser.get(path)
    except httpx.HTTPError:
        return False
    return page.status_code == 200 and (path != PING or page.text == "OK")


def shown(service: Service, root: str) -> int:
    """Return the serial number of the certificate for a visitor who trusts only `root`; the page must be served."""
    with service.browser(ssl.create_default_context(cadata=root)) as visitor:
        page = visitor.get(PING)
        assert (page.status_code, page.text) == (200, "OK")
        certificate = page.extensions["network_stream"].get_extra_info("ssl_object").getpeercert()
    return int(certificate["serialNumber"], 16)
