"""Runs and prints the steps of long work, with the duration of each."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

ROOT = Path(__file__).resolve().parents[2]
console = Console(highlight=False)
_began = time.monotonic()


class StepError(Exception):
    """A step failed; its output above contains the reason."""


def python() -> str:
    """Return the interpreter of the project's environment."""
    return sys.executable


@contextmanager
def step(title: str) -> Iterator[None]:
    """Print a step's title, and at its end its duration and the total time."""
    console.print(f"[bold]==> {title}[/bold]")
    start = time.monotonic()
    try:
        yield
    except StepError:
        console.print(f"[red]    failed: {title}; waiting for steps that run in parallel[/red]")
        raise
    now = time.monotonic()
    console.print(f"[dim]    done: {title} in {now - start:.0f} s, {now - _began:.0f} s in all[/dim]")


def side_by_side(*stages: Callable[[], None]) -> None:
    """Run stages in parallel, each to its end. Raises StepError when one failed."""
    with ThreadPoolExecutor(len(stages)) as pool:
        running = [pool.submit(stage) for stage in stages]
    for stage in running:
        stage.result()


def run(command: Sequence[str], *, capture: bool = False, text_input: str | None = None) -> str:
    """Run a command in the project's folder; show its output, or return it with `capture`.

    Raises StepError when the command fails or does not exist.
    """
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env={**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"},
            input=text_input,
            stdin=None if text_input is not None else subprocess.DEVNULL,
            stdout=subprocess.PIPE if capture else None,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        raise StepError(f"{command[0]}: not found on PATH; open a new shell, or run: make toolchain") from None
    if done.returncode:
        raise StepError(f"{' '.join(command)}: failed with exit status {done.returncode}")
    return done.stdout or ""
