"""Measures the pre-warm: rate, memory, requests that are repeated after a kill, and the hours for a whole release."""

import json
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from bench.prewarm.nginx import nginx
from harness.ports import free_port
from harness.stacks import ROOT

THUMBNAILS_OF_IDR = 2_800_000
CONCURRENCY = 64
WORKERS, WORKER_SECONDS = 8, 0.04
"""One OMERO.web and one OMERO.server, as fast as rendering allows: at most 200 responses/s."""
CONNECTIONS = 8
"""h2load ends when nginx closes a connection, after 1000 requests. All together they send as many requests at once
as the pre-warm."""


def hours(per_second: float, nodes: int, images: int = THUMBNAILS_OF_IDR) -> float:
    """Return how long `images` thumbnails take if each of `nodes` read-only nodes renders `per_second` of them."""
    return images / (per_second * nodes) / 3600


def measured(images: int, killed: int, memory: tuple[int, ...]) -> dict[str, float]:
    """Return all figures, each with that of the compared program in the same run."""
    figures: dict[str, float] = {}
    for name, workers, each in (("OMERO.web-like", WORKERS, WORKER_SECONDS), ("instant", CONCURRENCY, 0.0)):
        peer, ours, cpu = _rates(images, workers, each)
        figures[f"{name} upstream: h2load (answers/s)"] = peer
        figures[f"{name} upstream: idr prewarm (answers/s)"] = ours
        figures[f"{name} upstream: prewarm / h2load"] = ours / peer
        figures[f"{name} upstream: processor time of idr prewarm (ms/answer)"] = cpu
    for ids in memory:
        figures[f"peak memory at {ids:,} ids (MiB)"] = _peak(ids)
    figures[f"repeated after SIGKILL at {killed:,} ids (%)"] = _repeated(killed)
    return figures


def _rates(images: int, workers: int, each: float) -> tuple[float, float, float]:
    """Return the responses/s of h2load and of the pre-warm, and the latter's processor time for a response in ms."""
    with tempfile.TemporaryDirectory() as name, _stub(images, workers, each) as port:
        folder = Path(name)
        with nginx(folder, free_port(), port) as url:
            urls = folder / "urls"
            urls.write_text("".join(f"{url}/webgateway/render_thumbnail/{n}/\n" for n in range(1, images + 1)))
            command = ["h2load", "-n", str(images), "-c", str(CONNECTIONS), "-m", str(CONCURRENCY // CONNECTIONS)]
            text = subprocess.run([*command, "-i", urls], capture_output=True, text=True, check=True).stdout
            match = re.search(r"finished in .*?, ([\d.]+) req/s", text)
            if not match or f"{images} succeeded" not in text:
                msg = f"h2load did not get everything:\n{text}"
                raise RuntimeError(msg)
            before = _children_seconds()
            report = _prewarm(url, folder, "--ca-file", str(folder / "server.crt"))
            cpu = 1000 * (_children_seconds() - before) / report["requests"]
            return float(match[1]), report["requests"] / report["seconds"], cpu


def _children_seconds() -> float:
    """Return the processor time of the child processes that have ended, in seconds."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _peak(ids: int) -> float:
    """Return the peak resident memory, in MiB, of a run over a generated catalogue, without a network."""
    command = [sys.executable, "-m", "bench.prewarm.offline", str(ids)]
    return float(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout)


def _repeated(images: int) -> float:
    """Return the percentage of thumbnails that are requested twice if the run is killed half-way."""
    with tempfile.TemporaryDirectory() as name, _stub(images, CONCURRENCY, 0.005) as port:
        url, folder = f"http://127.0.0.1:{port}", Path(name)
        first = subprocess.Popen(_command(url, folder), cwd=ROOT, stdout=subprocess.DEVNULL)
        while _thumbnails(url) < images / 2:
            time.sleep(0.5)
        first.kill()
        first.wait()
        _prewarm(url, folder)
        return 100 * (_thumbnails(url) - images) / images


def _thumbnails(url: str) -> int:
    asked: dict[str, int] = httpx.get(f"{url}/asked", timeout=60).json()
    return sum(times for path, times in asked.items() if "/render_thumbnail/" in path)


def _command(url: str, folder: Path, *more: str) -> list[str]:
    command = [sys.executable, "-m", "idr.prewarm", "--url", url, "--state", str(folder / "state"), "--json"]
    return [*command, "--no-images", "--concurrency", str(CONCURRENCY), *more]


def _prewarm(url: str, folder: Path, *more: str) -> dict[str, Any]:
    done = subprocess.run(_command(url, folder, *more), cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    report: dict[str, Any] = json.loads(done.stdout)
    return report


@contextmanager
def _stub(images: int, workers: int, each: float) -> Iterator[int]:
    command = [sys.executable, "-m", "harness.stub_release", "--images", str(images), "--workers", str(workers)]
    stub = subprocess.Popen([*command, "--seconds", str(each)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        yield int(stub.stdout.readline()) if stub.stdout else 0
    finally:
        stub.kill()
        stub.wait()
