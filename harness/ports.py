"""Ports of loopback for servers of a test's own."""

import socket
from collections import deque

_held: deque[socket.socket] = deque(maxlen=128)
"""Open sockets that reserve the last ports.

Without them the system can assign such a port again: to another server, or as the source port of an outgoing
connection.
"""


def free_port() -> int:
    """A port that nobody else is given until 128 more were asked for here, at any address of the machine.

    At any, since some servers listen on all addresses. A port that is held on 127.0.0.1 alone may be the near end of a
    connection from another address, as a test's visitor at 127.0.0.2, and such a server then fails: once in CI.
    A server that sets SO_REUSEADDR, as they all do, can listen on it; its socket and the one that holds the port must
    both have it (socket(7)). Set after bind, so that the one that holds shares with no other of its kind.
    """
    held = socket.socket()
    held.bind(("", 0))
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    _held.append(held)
    port: int = held.getsockname()[1]
    return port
