"""Ports of loopback for servers of a test's own."""

import secrets
import socket

FIRST, COUNT = 20_000, 10_000
"""Below those that outgoing connections take theirs from (32768 on Linux): one of these, the probe of a server that is
just starting included, can be given the very port that the server is about to take."""


def free_port() -> int:
    """A port that nobody listens on now."""
    while True:
        port = FIRST + secrets.randbelow(COUNT)
        with socket.socket() as probe:
            # As servers do, who are not kept waiting by connections that have ended.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
