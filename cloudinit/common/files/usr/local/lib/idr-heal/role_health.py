"""Asks roles how they are, and waits for none of them. Standard library only."""

import os
import pathlib
import signal
import subprocess
import time
from typing import BinaryIO

# How often a role's health is asked, and how long its test may take: OMERO's own ends after 130 s at the latest.
EVERY_SECONDS = 120
LONGEST_SECONDS = 150


class Health:
    """Whether a role is healthy, by its own test.

    On a dead mount no signal ends what a test has started. So nobody waits for a test, and the role is not asked again
    while a process of its last one is left.
    """

    def __init__(self, script: pathlib.Path) -> None:
        self.script = script
        self.healthy: bool | None = None
        self.asked = float("-inf")
        self.looked = 0
        self.process: subprocess.Popen[bytes] | None = None
        # What all processes of the test write to: at its end none is left.
        self.pipe: BinaryIO | None = None
        self.said = b""
        self.judged = False

    def look(self, now: float) -> None:
        """Go one step on: begin the test, or take its result, or end it when it takes too long."""
        if not self.process:
            if now - self.asked >= EVERY_SECONDS:
                self.ask(now)
            return
        status, ended = self.process.poll(), self.read()
        if status is not None:
            lines = self.said.decode(errors="replace").split("\n")
            self.judge(status == 0, lines[0] or f"its health test ends with exit status {status}")
        elif now - self.asked > LONGEST_SECONDS:
            self.judge(False, f"no answer within {LONGEST_SECONDS} s")
            os.killpg(self.process.pid, signal.SIGKILL)
        if ended and status is not None:
            self.process = None

    def ask(self, now: float) -> None:
        """Begin the test, in a group of its own, and less urgent than this program."""
        reading, writing = os.pipe()
        self.pipe, self.said, self.asked, self.judged = os.fdopen(reading, "rb"), b"", now, False
        os.set_blocking(reading, False)
        with os.fdopen(writing, "wb") as end:
            self.process = subprocess.Popen(
                ["nice", "-n", "10", str(self.script)],
                stdin=subprocess.DEVNULL,
                stdout=end,
                stderr=subprocess.STDOUT,
                # Beside the output, which a test may send elsewhere for what it starts.
                pass_fds=[writing],
                env={**os.environ, "LC_ALL": "C.UTF-8"},
                start_new_session=True,
            )

    def read(self) -> bool:
        """Take what the test says; tell whether all of its processes have ended."""
        try:
            some = os.read(self.pipe.fileno(), 65536) if self.pipe else b""
        except BlockingIOError:
            return False
        self.said += some
        return not some

    def judge(self, healthy: bool, reason: str) -> None:
        """Note a result, once for each test; log a change."""
        if self.judged:
            return
        self.judged, self.looked = True, int(time.time())
        role = self.script.parent.name
        if not healthy and self.healthy is not False:
            print(f"role {role} is not healthy: {reason}", flush=True)
        elif healthy and self.healthy is False:
            print(f"role {role} is healthy again", flush=True)
        self.healthy = healthy

    def forget(self) -> None:
        """Let a test that runs have no result; the next one begins as soon as it can."""
        self.judged, self.asked = True, float("-inf")
