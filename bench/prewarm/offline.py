"""Runs the pre-warm without a network and without httpx, so that a million objects take minutes.

`python -m bench.prewarm.offline 10000` prints the peak of its resident memory in MiB.
"""

import asyncio
import json
import re
import sys
import tempfile
from pathlib import Path

from harness.stub_release import RENDERING, Stub
from idr.prewarm.client import Client
from idr.prewarm.pace import Pace
from idr.prewarm.run import Run
from idr.prewarm.state import State

IMAGE = {"id": 1, "meta": {}, "tiles": False, "channels": [], "rdefs": RENDERING}


class _Offline(Client):
    """A client that answers its own requests."""

    def __init__(self, images: int) -> None:
        self._release = Stub(images)
        self.requests = 0

    async def get(self, path: str) -> bytes:
        """Return what the stub release answers."""
        self.requests += 1
        if path.startswith("/api/"):
            return json.dumps(self._release.page(path)).encode()
        return json.dumps({"grid": [], "open_with_options": [], **IMAGE}).encode()


async def run(images: int) -> None:
    """Pre-warm a release with so many images."""
    with tempfile.TemporaryDirectory() as folder:
        await Run(_Offline(images), State("offline"), Path(folder) / "state", Pace(64), lambda _report: None)()


def _peak() -> float:
    # Not getrusage: its ru_maxrss is at least that of the parent process.
    match = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(match[1]) / 1024 if match else float("nan")


if __name__ == "__main__":
    asyncio.run(run(int(sys.argv[1])))
    sys.stdout.write(f"{_peak()}\n")
