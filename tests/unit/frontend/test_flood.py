"""Requests at full speed by one visitor cost the proxy and its disk little: given up, refused or cached."""

import os
import socket
import ssl
import time
from contextlib import closing
from pathlib import Path

import h2.connection
import h2.errors
import pytest

from harness import proxy, rendered, stacks
from harness.attack import hostile
from tests.unit.frontend.clients import Front
from tests.unit.frontend.conftest import PLAN, THUMBNAIL

HOSTILE = "127.0.0.2"
"""An address of loopback that the limits count."""
LOT = 50
MOST = 1000
"""Requests of one connection, nginx's default."""
PING, GOAWAY = 6, 7
CONNECTIONS_A_SECOND = 10
"""The connections that the host firewall lets one address open in the long run."""
PROCESSORS = 4
"""The processors of the IDR's proxies (m1.medium in Pulumi.ebi.yaml)."""
SHARES = {
    THUMBNAIL: 0.05,
    hostile.KEPT: 0.05,
    "/nothing/": 0.05,
    # The cost grows with the address: nginx hashes it for each map, before it can refuse the request.
    f"/webgateway/get_thumbnails/?{'&'.join(f'id={number}' for number in range(1, 201))}": 0.1,
}
"""The largest part of the proxy's processors that one address may use, by what it requests."""


def given_up(front: Front, path: str, most: int) -> int:
    """Ask and give up, over one connection; returns how many requests the proxy took before it ended that."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    asking = h2.connection.H2Connection()
    asking.initiate_connection()
    here = socket.create_connection(("127.0.0.1", front.nginx.https), timeout=20, source_address=(HOSTILE, 0))
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


def nginx(front: Front) -> dict[int, Path]:
    """Return the main process and its workers, with their time on a processor in the kernel's records."""
    main = int((front.nginx.folder / "pid").read_text())
    workers = Path(f"/proc/{main}/task/{main}/children").read_text().split()
    return {process: Path(f"/proc/{process}/schedstat") for process in (main, *map(int, workers))}


def processor_seconds(front: Front) -> float:
    """Return nginx's time on processors so far, without the time in which other work of the machine had them."""
    return sum(int(times.read_text().split()[0]) for times in nginx(front).values()) / 1e9


def least_cost(front: Front, path: str, bound: float) -> float:
    """Return the processor time of a connection in seconds: the least of five, or of up to 50 until one is low enough.

    Other work of the machine only adds to it, because it takes the processor's caches.
    """
    costs: list[float] = []
    while len(costs) < 5 or (min(costs) > bound and len(costs) < 50):
        before = processor_seconds(front)
        assert given_up(front, path, 2 * MOST) == MOST
        costs.append(processor_seconds(front) - before)
    return min(costs)


@pytest.mark.parametrize("path", SHARES, ids=["thumbnail", "fifty", "closed", "long"])
def test_others_keep_the_proxy(front: Front, path: str) -> None:
    """The attacker has a processor of its own, so that its own work does not count as the proxy's."""
    front.get(path)
    mine = os.sched_getaffinity(0)
    for process in nginx(front):
        os.sched_setaffinity(process, {min(mine)})
    os.sched_setaffinity(0, {max(mine)})
    try:
        given_up(front, path, 2 * MOST)  # what one address may have open at once
        given_up(front, path, 2 * MOST)
        bound = SHARES[path] * PROCESSORS / CONNECTIONS_A_SECOND
        cost = least_cost(front, path, bound)
    finally:
        os.sched_setaffinity(0, mine)
    print(f"one address: {CONNECTIONS_A_SECOND * cost:.3f} s of a processor a second")
    assert 0 < cost <= bound


def test_the_firewall_lets_an_address_open_so_many() -> None:
    rules = rendered.files(proxy.proxy_node(PLAN), PLAN, stacks.secrets_of("local"))["/etc/nftables.conf"]
    assert f"limit rate over {CONNECTIONS_A_SECOND}/second" in rules
    for stack in ("ebi", "uod"):
        plan = stacks.plan_of(stack)
        assert plan.settings.flavors[proxy.proxy_node(plan).flavor_name].vcpus >= PROCESSORS


def test_of_what_is_refused_the_logs_have_a_part(front: Front) -> None:
    front.get(THUMBNAIL)
    asked = sum(given_up(front, THUMBNAIL, MOST) for _ in range(5))
    time.sleep(1.5)  # the log is written every second
    lines = front.nginx.log("access.log").splitlines()
    refused = [line for line in lines if '" 429 ' in line]
    assert asked == 5 * MOST
    assert 0 < len(refused) < asked / 20
    assert "limiting" not in front.nginx.log("error.log")


def is_closed(connection: socket.socket, seconds: float) -> bool:
    """Return whether the other end closes a connection within the time."""
    connection.settimeout(max(0.1, seconds))
    try:
        while connection.recv(1024):
            pass
    except TimeoutError:
        return False
    except ConnectionResetError:
        return True
    return True


def test_who_sends_half_of_something_is_sent_away(front: Front) -> None:
    """Each of these would hold a connection, of which there are thousands, for a minute."""
    port = front.nginx.https
    context = ssl._create_unverified_context()  # noqa: S323  nothing is read
    header, body = (context.wrap_socket(socket.create_connection(("127.0.0.1", port))) for _ in range(2))
    header.sendall(b"GET /webclient/ HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ")
    body.sendall(b"POST /webclient/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\nab")
    plain = socket.create_connection(("127.0.0.1", front.nginx.http))
    plain.sendall(b"GET / HTTP/1.1\r\n")
    silent = socket.create_connection(("127.0.0.1", port))
    end = time.monotonic() + 25
    for name, held in {"silent": silent, "plain": plain, "header": header, "body": body}.items():
        with closing(held):
            assert is_closed(held, end - time.monotonic()), name


@pytest.mark.parametrize("path", ["/webclient/get_thumbnails/?id=1", "/webgateway/get_thumbnails/?id=1"])
def test_pictures_in_json_are_not_compressed_again(front: Front, path: str) -> None:
    """It would take fifty times as long as to send them: what one visitor may ask for would keep a processor busy."""
    front.upstream.body = f'{{"1": "data:image/jpeg;base64,{"QUJD" * 1000}"}}'
    for _ in range(2):
        answer = front.get(path, **{"Accept-Encoding": "gzip"})
        assert "content-encoding" not in answer.headers
        assert front.upstream.body in answer.text
    assert sum(front.upstream.asked.values()) == 1
