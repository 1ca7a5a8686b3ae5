"""An upstream that takes every connection and answers none, and what the proxy spends on it."""

import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from bench.frontend import peers
from model.plan import Plan
from model.roles import Role
from tests import proxy
from tests.proxy import Place

VIEWERS = 50
WAITING = 2000
SETTLE_SECONDS = 6
MIB = 1024


class Silent:
    """A listening socket that keeps what it accepts."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self.taken: list[socket.socket] = []
        threading.Thread(target=self._take, daemon=True).start()

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"127.0.0.1:{self.socket.getsockname()[1]}"

    def _take(self) -> None:
        while True:
            try:
                self.taken.append(self.socket.accept()[0])
            except OSError:
                return

    def close(self) -> None:
        """Close everything."""
        self.socket.close()
        for connection in self.taken:
            connection.close()


@contextmanager
def _waiting(place: Place, addresses: Path, *, connections: int, streams: int, requests: int) -> Iterator[None]:
    """Requests under way for the length of the block; it begins when they have arrived."""
    load = ["h2load", "-c", str(connections), "-m", str(streams), "-n", str(requests), "-i", str(addresses)]
    process = subprocess.Popen(
        [*load, "-B", f"https://127.0.0.1:{place.https}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        time.sleep(SETTLE_SECONDS)
        yield
    finally:
        process.kill()
        process.wait()


def _memory_mib(place: Place) -> float:
    """What nginx's processes hold, shared memory counted once."""
    master = (place.folder / "pid").read_text().strip()
    processes = [master, *Path(f"/proc/{master}/task/{master}/children").read_text().split()]
    sizes = (Path(f"/proc/{process}/smaps_rollup").read_text().split("Pss:")[1].split()[0] for process in processes)
    return sum(map(int, sizes)) / MIB


def measure(folder: Path, plan: Plan) -> dict[str, float]:
    """Memory and connections of the proxy while thousands wait for an upstream that is silent."""
    web = str(plan.releases[0].with_role(Role.WEB)[0].address)
    one, many = folder / "one", folder / "many"
    one.write_text("/webgateway/render_image/1/0/0/\n")
    many.write_text("".join(f"/webgateway/render_image/{number}/0/0/\n" for number in range(2, WAITING + 2)))
    silent = Silent()
    try:
        with (
            peers.ours(folder / "slow", plan, {web: silent.address}) as place,
            httpx.Client(http2=True, verify=proxy.trust(plan), base_url=f"https://127.0.0.1:{place.https}") as visitor,
        ):
            with _waiting(place, one, connections=VIEWERS, streams=1, requests=VIEWERS):
                for_one = len(silent.taken)
            before = _memory_mib(place)
            with _waiting(place, many, connections=4, streams=512, requests=WAITING):
                spent = _memory_mib(place) - before
                start = time.monotonic()
                visitor.options("/").raise_for_status()
                other = time.monotonic() - start
            return {
                f"silent upstream, {VIEWERS} viewers of one image: connections to it": for_one,
                f"silent upstream, {WAITING} images wanted: connections to it": len(silent.taken) - for_one,
                f"silent upstream, {WAITING} images wanted: memory of the proxy, MiB": spent,
                "silent upstream: another visitor's answer, s": other,
            }
    finally:
        silent.close()
