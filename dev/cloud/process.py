"""Programs in the cloud's namespaces: their environment, running one, waiting for a port."""

import os
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from dev.cloud import layout
from dev.cloud.layout import State
from dev.image.cache import cache_root


class CloudError(Exception):
    """An error that is shown to the user in one or two lines, without a traceback."""


def surroundings(state: State) -> dict[str, str]:
    """Return the environment of all processes in the cloud, without the user's proxies and settings."""
    venv = layout.environment() / "venv"
    path = (
        f"{state.root}/bin:{layout.HERE}/shim:{venv}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    )
    return {
        "PATH": path,
        "PYTHONPATH": f"{layout.HERE}/plugins",
        "HOME": str(state.folder("home")),
        "IDR_CACHE": str(cache_root()),  # HOME differs here
        "LANG": "C.UTF-8",
        "TERM": os.environ.get("TERM", "dumb"),
        "OS_CLIENT_CONFIG_FILE": str(state.clouds_yaml),
        "OS_CLOUD": "idr-local-admin",
    }


def run(
    state: State,
    argv: Sequence[str],
    *,
    log: str | None = None,
    env: Mapping[str, str] | None = None,
    input_file: Path | None = None,
) -> str:
    """Run a program to its end. Return its output, or nothing if it is written to the log `log`.

    Raises CloudError if it failed.
    """
    surrounding = surroundings(state) | dict(env or {})
    path = state.log / f"{log}.log" if log else None
    with (
        (path or Path(os.devnull)).open("ab") as out,
        (input_file or Path(os.devnull)).open("rb") as inp,
    ):
        target = out if path else subprocess.PIPE
        done = subprocess.run(
            argv, env=surrounding, stdin=inp, stdout=target, stderr=subprocess.STDOUT, check=False, cwd="/"
        )
    if done.returncode:
        tail = path.read_text(errors="replace") if path else done.stdout.decode(errors="replace")
        last = "\n".join(tail.strip().splitlines()[-3:])
        raise CloudError(f"{Path(argv[0]).name} failed ({done.returncode}){f', see {path}' if path else ''}: {last}")
    return "" if path else done.stdout.decode(errors="replace")


def until(what: str, ready: Callable[[], bool], seconds: float) -> None:
    """Wait until `ready()`.

    Raises CloudError if it was not ready after `seconds`.
    """
    end = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > end:
            raise CloudError(f"{what}: not there after {seconds:.0f} s")
        time.sleep(0.1)


def listening(port: int, address: str = layout.ADDRESS) -> bool:
    """Return whether a service accepts connections there."""
    try:
        with socket.create_connection((address, port), timeout=2):
            return True
    except OSError:
        return False
