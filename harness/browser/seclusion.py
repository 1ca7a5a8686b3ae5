"""A network namespace with loopback alone, whose port 443 leads out to one service.

Chromium drops its connections (ERR_NETWORK_CHANGED) whenever an address of the machine changes, and has no option
against it (chromium issue 41465264). Beside a cloud whose guests come and go that is every few seconds. In here nothing
changes, and a page that needs anything else of the internet is found out.
"""

import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from uuid import uuid4

START_SECONDS = 10
SOCAT = ("socat", "-d", "-d")


class StartError(RuntimeError):
    """The way out does not open; the text is what socat said."""


@contextmanager
def secluded(folder: Path, address: str) -> Iterator[str]:
    """The namespace's name, for `ip netns exec`, until the end of the block; its 127.0.0.1:443 is `address`.

    `folder` holds the socket between the two sides. Raises CalledProcessError where this user may not make one.
    """
    name, crossing = f"browser-{uuid4().hex[:8]}", folder / "crossing"
    subprocess.run(["ip", "netns", "add", name], check=True)
    try:
        subprocess.run(["ip", "-n", name, "link", "set", "lo", "up"], check=True)
        with ExitStack() as stack:
            outside = [*SOCAT, f"UNIX-LISTEN:{crossing},fork", f"TCP:{address}"]
            stack.enter_context(_forwarder(folder / "outside.log", *outside))
            inside = [*SOCAT, "TCP-LISTEN:443,bind=127.0.0.1,fork", f"UNIX-CONNECT:{crossing}"]
            stack.enter_context(_forwarder(folder / "inside.log", "ip", "netns", "exec", name, *inside))
            yield name
    finally:
        subprocess.run(["ip", "netns", "delete", name], check=True)


@contextmanager
def _forwarder(log: Path, *command: str) -> Iterator[None]:
    """A socat that says in its log when it listens; in the block it does. Raises StartError."""
    with log.open("w") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        deadline = time.monotonic() + START_SECONDS
        while " listening on " not in log.read_text():
            if process.poll() is not None or time.monotonic() > deadline:
                raise StartError(log.read_text())
            time.sleep(0.02)
        yield
    finally:
        process.terminate()
        process.wait()
