"""If users log in, their programs import through the proxy into the read-write OMERO.server.

OMERO's importer sends a file in blocks over a session, and gets the progress on the same connection. A test program
replaces both ends; the importer itself has not been tried, because the demo's image server accepts no imports.
"""

import hashlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import IPv4Network
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from harness import proxy, rendered, stacks
from model import matrix
from model.firewall import OMERO_SSL_PORT, OMERO_WEBSOCKET_PORT, WORLD
from model.plan import Plan
from model.roles import Role
from tests.unit.frontend.conftest import WEB
from tests.unit.frontend.login import PLAN

BLOCK = b"\x89PNG" * (1 << 18)
BLOCKS = 48
"""Each has a mebibyte: more than all buffers between the two ends."""
PROGRESS = b"METADATA_PROCESSED"
INSTITUTES = [stacks.plan_of("institute"), PLAN]


def take(connection: ssl.SSLSocket) -> None:
    """Receive a file in blocks, answer each with the sum so far, and send the progress of the import unasked."""
    with connection, connection.makefile("rb") as sent:
        first = sent.read(4)
        if first == b"GET ":
            asked = [line.lower().strip() for line in iter(sent.readline, b"\r\n")]
            if not {b"upgrade: websocket", b"connection: upgrade"} <= {*asked}:
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
                return
            connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n")
            first = b""
        total = hashlib.sha256()
        for number in range(BLOCKS):
            head = first if number == 0 else b""
            total.update(head + sent.read(len(BLOCK) - len(head)))
            connection.sendall(total.digest())
        connection.sendall(PROGRESS)
        sent.read()


@contextmanager
def server() -> Iterator[str]:
    """Run the read-write OMERO.server, for one client; yields its address."""
    pair = proxy.certificate(PLAN)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with TemporaryDirectory() as folder:
        for name, text in (("crt", pair.certificate), ("key", pair.key)):
            Path(folder, name).write_text(text)
        context.load_cert_chain(Path(folder, "crt"), Path(folder, "key"))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=lambda: take(context.wrap_socket(listening.accept()[0], server_side=True)))
        thread.start()
        yield f"127.0.0.1:{listening.getsockname()[1]}"
        thread.join(20)
        assert not thread.is_alive()


def by_omeros_port(nginx: proxy.Nginx) -> ssl.SSLSocket:
    """Connect as OMERO.insight and the command line do."""
    raw = socket.create_connection(("127.0.0.1", nginx.omero), timeout=20)
    return proxy.trust(PLAN).wrap_socket(raw, server_hostname=PLAN.host_name)


def by_websocket(nginx: proxy.Nginx) -> ssl.SSLSocket:
    """Connect as a client that uses the websocket."""
    raw = socket.create_connection(("127.0.0.1", nginx.https), timeout=20)
    connection = proxy.trust(PLAN).wrap_socket(raw, server_hostname=PLAN.host_name)
    asking = f"GET /omero-ws HTTP/1.1\r\nHost: {PLAN.host_name}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
    connection.sendall(asking.encode())
    answer = b""
    while not answer.endswith(b"\r\n\r\n"):
        answer += connection.recv(1)
    assert answer.startswith(b"HTTP/1.1 101 "), answer
    return connection


@pytest.mark.parametrize("way", [by_omeros_port, by_websocket])
def test_a_file_arrives_whole_and_the_server_speaks_on_the_same_connection(
    tmp_path: Path, way: Callable[[proxy.Nginx], ssl.SSLSocket]
) -> None:
    with server() as address:
        nginx = proxy.Nginx(tmp_path, {WEB: address})
        with proxy.running(nginx, PLAN), way(nginx) as client, client.makefile("rb") as answers:
            total = hashlib.sha256()
            for _ in range(BLOCKS):
                client.sendall(BLOCK)
                total.update(BLOCK)
                assert answers.read(32) == total.digest()
            assert answers.read(len(PROGRESS)) == PROGRESS


@pytest.mark.parametrize("plan", INSTITUTES, ids=["institute", "the demo, private"])
def test_programs_reach_the_server_that_writes_through_the_proxy_alone(plan: Plan) -> None:
    flows = [*matrix.flows(plan, plan.releases[0])]
    ports = {OMERO_SSL_PORT, OMERO_WEBSOCKET_PORT}
    to_server = {(flow.source, flow.port) for flow in flows if flow.target == Role.OMERO_READWRITE}
    assert {(Role.PROXY, port) for port in ports} <= to_server
    assert WORLD not in {source for source, port in to_server if port in ports}
    assert {flow.port for flow in flows if (flow.source, flow.target) == (WORLD, Role.PROXY)} >= {443, OMERO_SSL_PORT}


def test_an_institutes_networks_can_be_the_only_ones_at_omeros_port() -> None:
    network = IPv4Network("198.51.100.0/24")
    plan = stacks.with_settings(stacks.plan_of("institute"), omero_from=(network,))
    flows = matrix.flows(plan, plan.releases[0])
    assert {flow.source for flow in flows if (flow.target, flow.port) == (Role.PROXY, OMERO_SSL_PORT)} == {network}


def test_nothing_in_the_servers_configuration_stands_against_an_import() -> None:
    """It is not read-only, its repository is on the data volume, and each user has a folder there, as in OMERO."""
    plan = stacks.plan_of("institute")
    (node,) = plan.releases[0].with_role(Role.OMERO_READWRITE)
    config = rendered.files(node, plan, stacks.secrets_of("institute"))["/opt/omero/server/config/idr.omero"]
    assert "config set omero.data.dir /data/OMERO\n" in config
    for key in ("omero.cluster.read_only", "omero.fs.repo", "omero.managed.dir", "omero.checksum", "omero.policy"):
        assert key not in config
    assert "/data" in {volume.mount for volume in node.volumes}
