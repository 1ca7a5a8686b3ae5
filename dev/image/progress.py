"""Progress lines: the present step, and the seconds so far."""

import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from dev.image.cache import BuildError

STARTED = time.monotonic()
TAIL_LINES = 25


def say(text: str) -> None:
    """Print one line with the seconds since the program started."""
    print(f"{time.monotonic() - STARTED:6.0f}s  {text}", flush=True)


def run(
    what: str,
    command: Sequence[str | Path],
    log: Path,
    env: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> None:
    """Run a command with its output in `log`. Print `what`, and every 15 seconds that it still runs.

    Raise BuildError with the end of the log when the command fails.
    """
    say(what)
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as out:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=env, cwd=folder)
        try:
            while True:
                try:
                    code = process.wait(timeout=15)
                    break
                except subprocess.TimeoutExpired:
                    say(f"  ... still: {what}")
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
    if code:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-TAIL_LINES:])
        raise BuildError(f"{what}: failed with exit code {code}; the end of {log}:\n{tail}")
