"""An HTTP client for one release's proxy, which retries failed requests."""

import asyncio
import random
import ssl
import time
from collections.abc import Callable

import httpx

TURN_SECONDS = 300.0
"""How long requests with status 429 are retried. It limits the rate of requests, and is no fault of the page."""
DELAYS = (0.5, 2.0, 8.0)
"""Seconds before each further attempt, varied by half to spread requests that failed together."""
TIMEOUT = 120.0
"""Time-out of a response in seconds: opening a container file of several GB takes OMERO a minute."""
OVERLOADED = frozenset({0, 429, 502, 503, 504})
"""Statuses of an overload (0: no response). A 500 or 404 is about one object."""
WORTH_ANOTHER = OVERLOADED | {500}

PATIENCE_SECONDS = 5.0
"""Seconds without a first answer before the command reports it."""

REQUESTS = 500
"""Requests per connection. nginx closes a connection after 1000, after which Debian 12's httpx fails."""

Watch = Callable[[str, float, bool], None]
"""Called after every attempt, with its path, its seconds, and whether it shows an overload."""
Waiting = Callable[[str], None]
"""Called while there was no answer at all yet, with the reason."""


class RequestError(Exception):
    """A request failed. `why` is the reason; `status` is 0 without a usable response."""

    def __init__(self, path: str, why: str, status: int = 0) -> None:
        super().__init__(f"{path}: {why}")
        self.path = path
        self.why = why
        self.status = status


class _NamedContext(ssl.SSLContext):
    """Sends (SNI) and verifies one host name, independent of the connection's address.

    Newer versions of httpx have `sni_hostname` for this; Debian 12's has not.
    """

    name: str | None = None

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        """Wrap with this context's host name."""
        return super().wrap_bio(incoming, outgoing, server_side, self.name or server_hostname, session)


class _Verbatim(httpx.URL):
    """An address that is sent unchanged: Debian 12's httpx encodes characters that browsers do not, such as `|`."""

    def __init__(self, url: httpx.URL, target: bytes) -> None:
        super().__init__(url)
        self._target = target

    @property
    def raw_path(self) -> bytes:
        """Path and query as they are sent."""
        return self._target


class _Connection:
    """A client with one HTTP/2 connection. Once retired, it closes after its last request."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http
        self._waiting = 0
        self.requests_sent = 0
        self.retired = False

    async def get(self, path: str) -> httpx.Response:
        """Send one request. Raises httpx.HTTPError or ssl.SSLError."""
        self.requests_sent += 1
        self._waiting += 1
        try:
            request = self._http.build_request("GET", path)
            request.url = _Verbatim(request.url, path.encode())
            return await self._http.send(request)
        except httpx.TimeoutException:
            raise
        except (httpx.HTTPError, ssl.SSLError):  # httpx 0.23 does not wrap ssl.SSLError
            self.retired = True
            raise
        finally:
            self._waiting -= 1
            if self.retired:
                await self.close()

    async def close(self) -> None:
        """Accept no more requests, and close after the last one."""
        self.retired = True
        if not self._waiting:
            await self._http.aclose()


class Client:
    """Sends requests to the proxy at `url`. `host` is the name to send and to verify, if `url` has an IP address.

    `ca_file` is trusted in addition to the system's authorities. Raises OSError if it cannot be read.
    """

    def __init__(
        self, url: str, host: str, ca_file: str, most: int, watch: Watch, waiting: Waiting = lambda _why: None
    ) -> None:
        self._url = url
        self._waiting = waiting
        self.answered = False
        self._headers = {"user-agent": "idr-prewarm"} | ({"host": host} if host else {})
        self._context = _NamedContext(ssl.PROTOCOL_TLS_CLIENT)
        self._context.name = host or None
        self._context.load_default_certs()
        if ca_file:
            self._context.load_verify_locations(ca_file)
        self._most = most
        self._watch = watch
        self._connection = self._connect()
        self.requests = 0

    async def __aenter__(self) -> "Client":
        self._notice = asyncio.get_running_loop().call_later(PATIENCE_SECONDS, self._waiting, "no answer yet")
        return self

    async def __aexit__(self, *_: object) -> None:
        self._notice.cancel()
        await self._connection.close()

    async def get(self, path: str) -> bytes:
        """Return the body of a response with status 200.

        Raises RequestError for any other status, or without a response after all attempts.
        """
        delays = iter(DELAYS)
        end = time.monotonic() + TURN_SECONDS
        while True:
            status, body, why = await self._attempt(path)
            if status == httpx.codes.OK:
                return body
            delay = None
            if status == httpx.codes.TOO_MANY_REQUESTS and time.monotonic() < end:
                delay = DELAYS[-1]
            elif status in WORTH_ANOTHER:
                delay = next(delays, None)
            if delay is None:
                raise RequestError(path, why, status)
            if not self.answered:
                self._waiting(why)
            await asyncio.sleep(delay * random.uniform(0.5, 1.5))  # noqa: S311  spreads load, hides nothing

    async def _attempt(self, path: str) -> tuple[int, bytes, str]:
        """Send one request. Return the status (0: no response), the body, and a description of the result."""
        start = time.monotonic()
        status, body = 0, b""
        try:
            answer = await (await self._open_connection()).get(path)
            status, body, why = answer.status_code, answer.content, f"status {answer.status_code}"
            self.answered = True
            self._notice.cancel()
        except (httpx.HTTPError, ssl.SSLError) as error:
            why = str(error) or type(error).__name__
        self.requests += 1
        self._watch(path, time.monotonic() - start, status in OVERLOADED)
        return status, body, why

    async def _open_connection(self) -> _Connection:
        old = self._connection
        if old.retired or old.requests_sent >= REQUESTS:
            self._connection = self._connect()
            await old.close()
        return self._connection

    def _connect(self) -> _Connection:
        return _Connection(
            httpx.AsyncClient(
                base_url=self._url,
                http2=True,
                verify=self._context,
                headers=self._headers,
                # No web proxy and no ~/.netrc: they are not for releases, and a service has no home.
                trust_env=False,
                # No wait for a free connection: over HTTP/1.1 each of `most` requests has its own.
                timeout=httpx.Timeout(TIMEOUT, connect=10.0, pool=None),
                limits=httpx.Limits(max_connections=self._most + 1, max_keepalive_connections=self._most + 1),
            )
        )
