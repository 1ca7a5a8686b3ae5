"""Runs h2load and reads its figures."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

_UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0}


class LoadError(RuntimeError):
    """Not every response was a success; the text is h2load's."""


@dataclass(frozen=True)
class Load:
    """Requests answered per second, and how long all of them took."""

    rate: float
    seconds: float


def h2load(port: int, addresses: Path, requests: int, *, http1_connections: int = 0) -> Load:
    """Send `requests` requests for the addresses in a file, in turn, to a TLS port of loopback.

    Over one HTTP/2 connection with as many streams as the server allows, or over that many connections of HTTP/1.1
    with one request at a time each, as browsers do. Raises LoadError when one response is not a success.
    """
    how = ["--h1", "-c", str(http1_connections), "-m", "1"] if http1_connections else ["-c", "1", "-m", "384"]
    command = ["h2load", *how, "-n", str(requests), "-i", str(addresses), "-B", f"https://127.0.0.1:{port}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    finished = re.search(r"finished in ([\d.]+)(us|ms|s), ([\d.]+) req/s", done.stdout)
    if not finished or f" {requests} succeeded" not in done.stdout:
        raise LoadError(done.stdout + done.stderr)
    return Load(rate=float(finished[3]), seconds=float(finished[1]) * _UNITS[finished[2]])


def view(port: int, addresses: Path, viewers: int, page: int) -> None:
    """Let viewers open the same page at the same time, each over its own HTTP/2 connection. Raises LoadError."""
    requests = viewers * page
    command = ["h2load", "-c", str(viewers), "-m", str(page), "-n", str(requests), "-i", str(addresses), "-T", "300"]
    done = subprocess.run([*command, "-B", f"https://127.0.0.1:{port}"], capture_output=True, text=True, check=False)
    if f" {requests} 2xx" not in done.stdout:
        raise LoadError(done.stdout + done.stderr)
