"""A server that replaces OMERO.web behind the proxy: it answers everything, counts, and records its requests."""

import ssl
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory

from model.certificates import Certificate

SLOW_SECONDS = 3
"""The time for addresses that begin with the upstream's `slow`."""

ECHO = "(echo)"
"""The body of an upstream that answers each request with its address."""

COOKIE = "(cookie)"
"""The body of an upstream that answers each visitor with the visitor's cookie."""


class Upstream(ThreadingHTTPServer):
    """A server that records its requests; a test may set all fields after `asked` at any time."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: Counter[str] = Counter()
        self.headers: list[dict[str, str]] = []
        self.status = 200
        self.delay = 0.0
        self.slow = "-"
        self.body = "answer"
        self.content_type = "application/json"
        self.more_headers: dict[str, str] = {}
        self.cache_control = "max-age=0, no-cache, no-store, private"
        self.received: list[tuple[str, str, bytes]] = []
        """Method, address and body of each request that had one."""
        self.at_once = 0
        self.most_at_once = 0
        self.workers: threading.Semaphore | nullcontext[None] = nullcontext()
        self.lock = threading.Lock()

    @property
    def address(self) -> str:
        """Return host and port."""
        return f"127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Header and body are two packets; with Nagle's algorithm the second waits 40 ms.
    disable_nagle_algorithm = True
    server: Upstream

    def do_GET(self) -> None:
        upstream = self.server
        with upstream.lock:
            upstream.asked[self.path] += 1
            upstream.headers.append({name.lower(): value for name, value in self.headers.items()})
            upstream.at_once += 1
            upstream.most_at_once = max(upstream.most_at_once, upstream.at_once)
        if sent := self.rfile.read(int(self.headers.get("Content-Length", 0))):
            upstream.received.append((self.command, self.path, sent))
        with upstream.workers:
            time.sleep(SLOW_SECONDS if self.path.startswith(upstream.slow) else upstream.delay)
        with upstream.lock:
            upstream.at_once -= 1
        echoes = {ECHO: self.path, COOKIE: self.headers.get("Cookie", "nobody")}
        body = echoes.get(upstream.body, upstream.body).encode()
        self.send_response(upstream.status)
        self.send_header("Content-Type", upstream.content_type)
        self.send_header("Content-Length", str(len(body)))
        # As Django answers a visitor without a session.
        self.send_header("Set-Cookie", "sessionid_demo1=made-upstream; Path=/")
        self.send_header("Vary", "Cookie")
        if upstream.cache_control:
            self.send_header("Cache-Control", upstream.cache_control)
        for name, value in upstream.more_headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD" and upstream.status != 304:
            self.wfile.write(body)

    do_POST = do_PUT = do_DELETE = do_HEAD = do_GET  # noqa: N815  # the names are http.server's

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@contextmanager
def running(certificate: Certificate | None = None) -> Iterator[Upstream]:
    """Run an upstream until the block ends, over TLS if it gets a certificate."""
    upstream = Upstream()
    if certificate:
        upstream.socket = _context(certificate).wrap_socket(
            upstream.socket, server_side=True, do_handshake_on_connect=False
        )
    thread = threading.Thread(target=upstream.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield upstream
    finally:
        upstream.shutdown()
        upstream.server_close()
        thread.join()


def _context(certificate: Certificate) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with TemporaryDirectory() as folder:
        chain, key = Path(folder) / "chain", Path(folder) / "key"
        chain.write_text(certificate.certificate)
        key.write_text(certificate.key)
        context.load_cert_chain(chain, key)
    return context
