"""Waiting for another machine, by the real script."""

import subprocess
from pathlib import Path

from harness.stacks import ROOT

SCRIPT = ROOT / "cloudinit" / "common" / "scripts" / "waiting"


def wait_for(seconds: int, command: str) -> "subprocess.CompletedProcess[str]":
    shell = f"set -euo pipefail; . {SCRIPT}; ask() {{ {command}; }}; wait_for 'nobody answers' ask; echo 'goes on'"
    environment = {"WAIT_SECONDS": str(seconds), "PATH": "/usr/bin:/bin"}
    return subprocess.run(["bash", "-c", shell], env=environment, capture_output=True, text=True, check=False)


def test_it_asks_until_the_answer_comes(tmp_path: Path) -> None:
    done = wait_for(30, f"echo x >> {tmp_path}/asked; [ $(wc -l < {tmp_path}/asked) = 2 ]")
    assert (done.returncode, done.stdout) == (0, "goes on\n")


def test_what_never_answers_is_named_with_its_output_and_ends_the_step() -> None:
    done = wait_for(1, "echo no such host >&2; false")
    assert (done.returncode, done.stdout) == (1, "nobody answers, for 1 s: no such host\n")
