"""What one visitor asks for at full speed costs the proxy and its disk little: given up at once, refused, or kept."""

import socket
import ssl
import time
from contextlib import closing, suppress

import h2.connection
import h2.errors
import pytest

from tests.unit.frontend.conftest import THUMBNAIL, Front

HOSTILE = "127.0.0.2"
"""Of loopback, an address that the limits count."""
LOT = 50
MOST = 1000
"""Requests of one connection, as nginx has it by default."""
PING, GOAWAY = 6, 7


def given_up(front: Front, path: str, most: int) -> int:
    """Ask and give up, over one connection; returns how many requests the proxy took before it ended that."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    asking = h2.connection.H2Connection()
    asking.initiate_connection()
    here = socket.create_connection(("127.0.0.1", front.place.https), timeout=20, source_address=(HOSTILE, 0))
    names = {":method": "GET", ":scheme": "https", ":authority": "127.0.0.1", ":path": path}
    with closing(context.wrap_socket(here)) as wire, wire.makefile("rb") as answers:
        for lot in range(0, most, LOT):
            for stream in range(2 * lot + 1, 2 * (lot + LOT), 2):
                asking.send_headers(stream, list(names.items()), end_stream=True)
                asking.reset_stream(stream, h2.errors.ErrorCodes.CANCEL)
            asking.ping(b"the lot.")
            wire.sendall(asking.data_to_send())
            while (frame := answers.read(9))[3:5] != bytes([PING, 1]):
                payload = answers.read(int.from_bytes(frame[:3], "big"))
                if frame[3] == GOAWAY:
                    return int.from_bytes(payload[:4], "big") // 2 + 1
            answers.read(8)
    return most


def test_a_connection_is_good_for_a_thousand_requests(front: Front) -> None:
    front.get(THUMBNAIL)
    assert given_up(front, THUMBNAIL, 2 * MOST) == MOST


def test_of_what_is_refused_the_logs_have_a_part(front: Front) -> None:
    front.get(THUMBNAIL)
    asked = sum(given_up(front, THUMBNAIL, MOST) for _ in range(5))
    time.sleep(1.5)  # the log is written every second
    lines = front.place.log("access.log").splitlines()
    refused = [line for line in lines if '" 429 ' in line]
    assert asked == 5 * MOST
    assert 0 < len(refused) < asked / 20
    assert "limiting" not in front.place.log("error.log")


def test_who_sends_half_of_something_is_sent_away(front: Front) -> None:
    """Each of these would hold a connection, of which there are thousands, for a minute."""
    port = front.place.https
    context = ssl._create_unverified_context()  # noqa: S323  nothing is read
    header, body = (context.wrap_socket(socket.create_connection(("127.0.0.1", port))) for _ in range(2))
    header.sendall(b"GET /webclient/ HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ")
    body.sendall(b"POST /webclient/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\nab")
    plain = socket.create_connection(("127.0.0.1", front.place.http))
    plain.sendall(b"GET / HTTP/1.1\r\n")
    silent = socket.create_connection(("127.0.0.1", port))
    end = time.monotonic() + 25
    for held in (silent, plain, header, body):
        with closing(held):
            held.settimeout(max(0.1, end - time.monotonic()))
            with suppress(ConnectionResetError):
                while held.recv(1024):
                    pass


@pytest.mark.parametrize("path", ["/webclient/get_thumbnails/?id=1", "/webgateway/get_thumbnails/?id=1"])
def test_pictures_in_json_are_not_compressed_again(front: Front, path: str) -> None:
    """It would take fifty times as long as to send them: what one visitor may ask for would keep a processor busy."""
    front.upstream.body = f'{{"1": "data:image/jpeg;base64,{"QUJD" * 1000}"}}'
    for _ in range(2):
        answer = front.get(path, **{"Accept-Encoding": "gzip"})
        assert "content-encoding" not in answer.headers
        assert front.upstream.body in answer.text
    assert sum(front.upstream.asked.values()) == 1
