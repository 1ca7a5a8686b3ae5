"""An HTTP client for one release's proxy, which repeats requests where that can help."""

import asyncio
import random
import ssl
import time
from collections.abc import Callable

import httpx

TURN_SECONDS = 300.0
"""Seconds in which a 429 is repeated: it is about the number of the visitor's requests, not about this one."""
DELAYS = (0.5, 2.0, 8.0)
"""Seconds before each further attempt, varied by half, so that requests that failed together spread out."""
TIMEOUT = 120.0
"""Time-out of a response in seconds: opening a container file of several GB takes OMERO a minute."""
OVERLOADED = frozenset({0, 429, 502, 503, 504})
"""Statuses of an overload (0: no response). A 500 or 404 is about one object."""
WORTH_ANOTHER = OVERLOADED | {500}

PATIENCE_SECONDS = 5.0
"""How long nobody is told that the first answer has not come."""

REQUESTS = 500
"""Before a new connection. nginx ends one after 1000 requests, and Debian 12's httpx does not get over that."""

Watch = Callable[[str, float, bool], None]
"""Called after every attempt, with its path, its seconds, and whether it shows an overload."""
Waiting = Callable[[str], None]
"""Called while there was no answer at all yet, with the reason."""


class AskError(Exception):
    """A failed request. `why` is for people; `status` is 0 where there was no response, or no usable one."""

    def __init__(self, path: str, why: str, status: int = 0) -> None:
        super().__init__(f"{path}: {why}")
        self.path = path
        self.why = why
        self.status = status


class _NamedContext(ssl.SSLContext):
    """Sends (SNI) and verifies one host name, whatever the address of the connection.

    httpx has `sni_hostname` for this, but Debian 12's does not know it yet.
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
        """As the class above does, with this context's name."""
        return super().wrap_bio(incoming, outgoing, server_side, self.name or server_hostname, session)


class _Verbatim(httpx.URL):
    """An address that is sent unchanged: Debian 12's httpx would encode characters that browsers do not, as `|`."""

    def __init__(self, url: httpx.URL, target: bytes) -> None:
        super().__init__(url)
        self._target = target

    @property
    def raw_path(self) -> bytes:
        """Path and query as they go out."""
        return self._target


class _Connection:
    """A client with one HTTP/2 connection, closed when it is retired and its last request has ended."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http
        self._waiting = 0
        self.asked = 0
        self.retired = False

    async def get(self, path: str) -> httpx.Response:
        """Send one request. Raises httpx.HTTPError or ssl.SSLError."""
        self.asked += 1
        self._waiting += 1
        try:
            request = self._http.build_request("GET", path)
            request.url = _Verbatim(request.url, path.encode())
            return await self._http.send(request)
        except httpx.TimeoutException:
            raise
        except (httpx.HTTPError, ssl.SSLError):  # httpx 0.23 lets the latter through
            self.retired = True
            raise
        finally:
            self._waiting -= 1
            if self.retired:
                await self.close()

    async def close(self) -> None:
        """Accept no more requests; close when the last one has ended."""
        self.retired = True
        if not self._waiting:
            await self._http.aclose()


class Client:
    """Asks the proxy at `url`. `host` is the name to ask for, and to verify, where `url` has only an address.

    `ca_file` is trusted beside the machine's own authorities. Raises OSError when it cannot be read.
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

    async def ask(self, path: str) -> bytes:
        """The body of a response with status 200.

        Raises AskError for any other status, or without a response after every attempt.
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
                raise AskError(path, why, status)
            if not self.answered:
                self._waiting(why)
            await asyncio.sleep(delay * random.uniform(0.5, 1.5))  # noqa: S311  spreads load, hides nothing

    async def _attempt(self, path: str) -> tuple[int, bytes, str]:
        """Send one request: the status (0: no response), the body, and a description of the result for people."""
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
        if old.retired or old.asked >= REQUESTS:
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
                # A release is reached without a web proxy or a ~/.netrc; a service has no home to look in.
                trust_env=False,
                # No wait for a free connection: over HTTP/1.1 each of `most` requests has its own.
                timeout=httpx.Timeout(TIMEOUT, connect=10.0, pool=None),
                limits=httpx.Limits(max_connections=self._most + 1, max_keepalive_connections=self._most + 1),
            )
        )
