"""The proxy's health test compares the number of files that nginx may open with the number that it needs."""

import os
import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from model.role_description import FOLDER

SCRIPT = (FOLDER / "proxy" / "scripts" / "health").read_text()
WANTED = 16384
CURL = """#!/bin/bash
[[ $* == *OPTIONS* ]] && echo -n 204 || echo -n 200
"""


@contextmanager
def worker(files: int) -> Iterator[int]:
    """Start a process that may open this number of files."""
    with subprocess.Popen(["sleep", "60"]) as process:
        resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (files, files))
        try:
            yield process.pid
        finally:
            process.kill()


def health(folder: Path, worker: int) -> tuple[int, str]:
    """Return status and output of the test on a proxy whose nginx has this worker."""
    (folder / "node.env").write_text("NODE_ADDRESS=10.130.1.50\n")
    (folder / "nginx.pid").write_text("1\n")
    for name, text in {"curl": CURL, "pgrep": f"#!/bin/sh\necho {worker}\n"}.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    script = SCRIPT.replace("/etc/idr/", f"{folder}/").replace("/run/nginx.pid", f"{folder}/nginx.pid")
    environment = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-c", script], env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


def test_a_worker_may_open_what_its_connections_need(tmp_path: Path) -> None:
    with worker(WANTED) as process:
        assert health(tmp_path, process) == (0, "")


@pytest.mark.parametrize("files", [1024, WANTED - 1])
def test_a_machine_that_refuses_the_limit_is_noticed(tmp_path: Path, files: int) -> None:
    with worker(files) as process:
        message = f"nginx may open {files} files only, too few for 8192 connections\n"
        assert health(tmp_path, process) == (1, message)


def test_the_limit_is_the_one_that_nginx_and_systemd_have() -> None:
    for file in ("nginx/nginx.conf", "systemd/system/nginx.service.d/idr-limits.conf"):
        assert str(WANTED) in (FOLDER / "proxy" / "files" / "etc" / file).read_text()
