"""A command on a terminal of its own, as somebody who types has it."""

import os
import pty
import subprocess
import threading
import time
from collections.abc import Sequence
from pathlib import Path

SECONDS = 120


class Terminal:
    """A running command, and what it has said so far."""

    def __init__(self, line: Sequence[str | Path | object]) -> None:
        self._ours, theirs = pty.openpty()
        words = [str(word) for word in line]
        # Colours and movements of the cursor would be in what it says.
        env = {**os.environ, "TERM": "dumb", "COLUMNS": "1000"}
        self._process = subprocess.Popen(
            words, stdin=theirs, stdout=theirs, stderr=theirs, env=env, start_new_session=True
        )
        os.close(theirs)
        self._said = b""
        self._read_to = 0
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        # Linux gives an error where the other side is closed.
        try:
            while said := os.read(self._ours, 65536):
                self._said += said
        except OSError:
            return

    def answer(self, question: str, text: str) -> None:
        """Type a line when the command asks for it, once more than before."""
        end = time.monotonic() + SECONDS
        while (at := self._said.find(question.encode(), self._read_to)) < 0:
            assert self._process.poll() is None, f"it did not ask {question!r}: {self.said()}"
            assert time.monotonic() < end, f"it did not ask {question!r}: {self.said()}"
            time.sleep(0.1)
        self._read_to = at + len(question)
        # Who asks without an echo throws away what was typed before.
        time.sleep(0.5)
        os.write(self._ours, f"{text}\n".encode())

    def end(self, seconds: float) -> tuple[int, str]:
        """Wait for its end; its exit status, and what it said."""
        try:
            status = self._process.wait(seconds)
        finally:
            self.close()
        return status, self.said()

    def close(self) -> None:
        """End it, as a terminal that is closed does."""
        if self._process.poll() is None:
            self._process.terminate()
            self._process.wait()
        self._reader.join(5)
        os.close(self._ours)

    def said(self) -> str:
        """What it has said."""
        return self._said.decode(errors="replace").replace("\r\n", "\n")
