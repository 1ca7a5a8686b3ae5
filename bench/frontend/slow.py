"""Measures what the proxy spends on an upstream that accepts every connection and never answers."""

import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from bench.frontend import peers
from harness import proxy
from harness.proxy import Nginx
from model.plan import Plan
from model.roles import Role

VIEWERS = 50
PAGES = 4
PAGE = 500
SETTLE_SECONDS = 6
MIB = 1024


class Silent:
    """A listening socket that keeps the connections that it accepts open."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self.accepted: list[socket.socket] = []
        threading.Thread(target=self._take, daemon=True).start()

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"127.0.0.1:{self.socket.getsockname()[1]}"

    def _take(self) -> None:
        while True:
            try:
                self.accepted.append(self.socket.accept()[0])
            except OSError:
                return

    def close(self) -> None:
        """Close everything."""
        self.socket.close()
        for connection in self.accepted:
            connection.close()


@contextmanager
def _waiting(nginx: Nginx, pages: list[list[str]]) -> Iterator[None]:
    """Start visitors who each request a page of addresses; the block runs after all have sent their requests."""
    visitors = []
    for number, page in enumerate(pages):
        addresses = nginx.folder / f"page-{number}"
        addresses.write_text("\n".join(page) + "\n")
        load = ["h2load", "-c", "1", "-m", str(len(page)), "-n", str(len(page)), "-i", str(addresses)]
        load += ["-B", f"https://127.0.0.1:{nginx.https}"]
        visitors.append(subprocess.Popen(load, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
    try:
        time.sleep(SETTLE_SECONDS)
        yield
    finally:
        for visitor in visitors:
            visitor.kill()
            visitor.wait()


def _image(number: int) -> str:
    return f"/webgateway/render_image/{number}/0/0/"


def _memory_mib(nginx: Nginx) -> float:
    """Return the memory of nginx's processes, with shared memory counted once."""
    master = (nginx.folder / "pid").read_text().strip()
    processes = [master, *Path(f"/proc/{master}/task/{master}/children").read_text().split()]
    sizes = (Path(f"/proc/{process}/smaps_rollup").read_text().split("Pss:")[1].split()[0] for process in processes)
    return sum(map(int, sizes)) / MIB


def measure(folder: Path, plan: Plan) -> dict[str, float]:
    """Measure memory and connections of the proxy while thousands of requests wait for a silent upstream."""
    web = str(plan.releases[0].with_role(Role.WEB)[0].address)
    pages = [[_image(1 + page * PAGE + number) for number in range(PAGE)] for page in range(PAGES)]
    silent = Silent()
    try:
        with (
            peers.ours(folder / "slow", plan, {web: silent.address}) as nginx,
            httpx.Client(http2=True, verify=proxy.trust(plan), base_url=f"https://127.0.0.1:{nginx.https}") as visitor,
        ):
            with _waiting(nginx, [[_image(0)]] * VIEWERS):
                for_one = len(silent.accepted)
            before = _memory_mib(nginx)
            with _waiting(nginx, pages):
                spent = _memory_mib(nginx) - before
                start = time.monotonic()
                visitor.options("/").raise_for_status()
                other = time.monotonic() - start
            return {
                f"silent upstream, {VIEWERS} viewers of one image: connections to it": for_one,
                f"silent upstream, {PAGES * PAGE} images wanted: connections to it": len(silent.accepted) - for_one,
                f"silent upstream, {PAGES * PAGE} images wanted: memory of the proxy, MiB": spent,
                "silent upstream: another visitor's answer, s": other,
            }
    finally:
        silent.close()
