"""A public web server in the cloud's external network, from which nodes fetch files by URL."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from dev.cloud.layout import EXTERNAL
from harness.cloud import outsider

ADDRESS = str(EXTERNAL[5])
"""Apart from the addresses of the authority and the attackers, and below those of routers."""
START_SECONDS = 20
NAMESPACE = "downloads"


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve the files of a folder until the block ends; yields the URL of the folder."""
    command = [sys.executable, "-m", "http.server", "--bind", ADDRESS, "--directory", str(folder), "80"]
    with outsider.machine(NAMESPACE, ADDRESS), folder.with_suffix(".log").open("wb") as log:
        process = subprocess.Popen(outsider.start(NAMESPACE, command), stdout=log, stderr=log)
        try:
            _wait(process, folder.with_suffix(".log"))
            yield f"http://{ADDRESS}"
        finally:
            process.kill()
            process.wait()


def _wait(process: "subprocess.Popen[bytes]", log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while True:
        try:
            httpx.get(f"http://{ADDRESS}/").raise_for_status()
        except httpx.HTTPError:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.2)
        else:
            return
