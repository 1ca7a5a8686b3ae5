"""Creates a network namespace that has only loopback, and whose port 443 is forwarded to one service.

Chromium drops its connections (ERR_NETWORK_CHANGED) whenever an address of the machine changes, and has no option
against it (chromium issue 41465264). On a machine that runs a cloud this happens every few seconds, because guests
start and stop. In the namespace no address changes, and a page that needs anything else from the internet fails.
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
    """The port is not forwarded; the text is socat's output."""


@contextmanager
def secluded(folder: Path, address: str) -> Iterator[str]:
    """Yield the name of a namespace, for `ip netns exec`, whose 127.0.0.1:443 is forwarded to `address`.

    `folder` gets the socket between the two sides. Raises CalledProcessError if this user may not create a namespace.
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
    """Run a socat until the end of the block; wait until its log says that it listens. Raises StartError."""
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
