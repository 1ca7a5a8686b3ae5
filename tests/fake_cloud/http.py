"""The HTTP server of the fake cloud: one thread per connection, JSON in and out."""

import json
import ssl
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Call:
    """A request. `root` is the server's URL, `path` follows it."""

    method: str
    root: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


@dataclass(frozen=True)
class Answer:
    """A response. It has no body if that is None; bytes are sent unchanged. If `truncated`, only one half is sent."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    truncated: bool = False


class CutError(Exception):
    """The connection is closed without an answer."""


def failure(status: int, message: str) -> Answer:
    """Return an error in the form that all services use."""
    return Answer(status, {"error": {"code": status, "title": "Error", "message": message}})


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print the error, unless a client does not trust this server or has closed the connection."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class Server:
    """Serves `answer` on a free port of loopback until `stop`. With `tls` it speaks HTTPS."""

    def __init__(self, answer: Callable[[Call], Answer], tls: ssl.SSLContext | None = None) -> None:
        self._server = _Quiet(("127.0.0.1", 0), _handler(answer, self))
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.root = f"{'https' if tls else 'http'}://127.0.0.1:{self._server.server_port}"
        # A short interval: each test starts its own cloud and waits until it has ended.
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop the server and its thread."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _text(body: Any) -> bytes:
    if isinstance(body, bytes):
        return body
    return b"" if body is None else json.dumps(body).encode()


def _handler(answer: Callable[[Call], Answer], server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Header and body are two packets; with Nagle's algorithm the second waits 40 ms.
        disable_nagle_algorithm = True

        def _respond(self) -> None:
            given = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            parts = urlsplit(self.path)
            call = Call(
                self.command,
                server.root,
                parts.path.strip("/"),
                dict(parse_qsl(parts.query)),
                {name.title(): value for name, value in self.headers.items()},
                json.loads(given) if given else None,
            )
            try:
                response = answer(call)
            except CutError:
                self.close_connection = True
                return
            text = _text(response.body)
            self.send_response(response.status)
            for name, value in {"Content-Type": "application/json", **response.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(text[: len(text) // 2] if response.truncated else text)
            self.close_connection = self.close_connection or response.truncated

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = _respond  # noqa: N815  # the library's names

        def log_message(self, *_: object) -> None:
            """Log nothing: `FakeCloud.calls` has every call."""

    return Handler
