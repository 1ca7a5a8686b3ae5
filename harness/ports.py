"""Assigns ports of loopback to servers that a test starts."""

import socket
from collections import deque

_held: deque[socket.socket] = deque(maxlen=128)
"""Open sockets that reserve the last ports.

Without them the system can assign such a port again: to another server, or as the source port of an outgoing
connection.
"""


def free_port() -> int:
    """Return a port that nothing else uses, at any address of the machine, until 128 more were requested here.

    It is reserved at all addresses, since some servers listen on all of them. If it were reserved on 127.0.0.1 only, it
    could be the source port of a connection from another address, such as a test's visitor at 127.0.0.2, and such a
    server would fail: this happened once in CI. A server that sets SO_REUSEADDR, as all of them do, can listen on the
    port; its socket and the reserving one must both set it (socket(7)). It is set after bind, so that two reserving
    sockets never share a port.
    """
    held = socket.socket()
    held.bind(("", 0))
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    _held.append(held)
    port: int = held.getsockname()[1]
    return port
