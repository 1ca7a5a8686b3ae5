"""A port for a test's server is never given twice: in CI two servers on one port answered for each other."""

import errno
import socket
import subprocess
import sys

import pytest

from harness.ports import free_port


def test_ports_differ_here_and_in_another_process() -> None:
    command = [sys.executable, "-c", "from harness.ports import free_port; print(*(free_port() for _ in range(100)))"]
    mine = [free_port() for _ in range(100)]
    others = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert len({*mine, *map(int, others)}) == 200


def test_a_server_can_listen_on_it_on_any_address() -> None:
    for address in ("127.0.0.1", ""):
        with socket.create_server((address, free_port())) as server:
            socket.create_connection(("127.0.0.1", server.getsockname()[1])).close()


def test_no_connection_from_another_address_takes_it() -> None:
    with socket.socket() as visitor, pytest.raises(OSError, match="already in use"):
        visitor.bind(("127.0.0.2", free_port()))


def test_nobody_answers_before_the_server_does() -> None:
    # A client of an unreserved port connects to itself once in 28,000 times, the number of Linux's ports for clients.
    port = free_port()
    for _ in range(28_232):
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) == errno.ECONNREFUSED
