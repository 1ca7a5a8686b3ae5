"""A command on a terminal of its own, as when a person types it."""

import os
import pty
import subprocess
import threading
import time
from collections.abc import Sequence
from pathlib import Path

SECONDS = 120


class Terminal:
    """A running command, and its output so far."""

    def __init__(self, line: Sequence[str | Path | object]) -> None:
        self._ours, theirs = pty.openpty()
        words = [str(word) for word in line]
        # Otherwise its output has colours and cursor movements.
        env = {**os.environ, "TERM": "dumb", "COLUMNS": "1000"}
        self._process = subprocess.Popen(
            words, stdin=theirs, stdout=theirs, stderr=theirs, env=env, start_new_session=True
        )
        os.close(theirs)
        self._output = b""
        self._read_to = 0
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        # Linux reports an error when the other side is closed.
        try:
            while part := os.read(self._ours, 65536):
                self._output += part
        except OSError:
            return

    def answer(self, question: str, text: str) -> None:
        """Type a line when the command asks this question again."""
        end = time.monotonic() + SECONDS
        while (at := self._output.find(question.encode(), self._read_to)) < 0:
            assert self._process.poll() is None, f"it did not ask {question!r}: {self.output()}"
            assert time.monotonic() < end, f"it did not ask {question!r}: {self.output()}"
            time.sleep(0.1)
        self._read_to = at + len(question)
        # A prompt without echo discards what was typed before it.
        time.sleep(0.5)
        os.write(self._ours, f"{text}\n".encode())

    def end(self, seconds: float) -> tuple[int, str]:
        """Wait for its end; return its exit status and its output."""
        try:
            status = self._process.wait(seconds)
        finally:
            self.close()
        return status, self.output()

    def close(self) -> None:
        """End it, as a terminal that is closed does."""
        if self._process.poll() is None:
            self._process.terminate()
            self._process.wait()
        self._reader.join(5)
        os.close(self._ours)

    def output(self) -> str:
        """Return its output so far."""
        return self._output.decode(errors="replace").replace("\r\n", "\n")
