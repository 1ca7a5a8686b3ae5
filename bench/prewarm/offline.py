"""A whole run without a network, so that a million objects take minutes: everything of ours, nothing of httpx."""

import json
import tempfile
from pathlib import Path

from bench.prewarm.stub import Stub
from idr.prewarm.client import Client
from idr.prewarm.pace import Pace
from idr.prewarm.run import Run
from idr.prewarm.state import State


class _Offline(Client):
    """Answers itself."""

    def __init__(self, images: int) -> None:
        self._release = Stub(images)
        self.requests = 0

    async def ask(self, path: str) -> bytes:
        """What the stub release answers."""
        self.requests += 1
        return json.dumps(self._release.page(path)).encode() if path.startswith("/api/") else b'{"grid": []}'


async def run(images: int) -> None:
    """Pre-warm a release of that many images."""
    with tempfile.TemporaryDirectory() as folder:
        await Run(_Offline(images), State("offline"), Path(folder) / "state", Pace(64), lambda _report: None)()
