"""The report of one scan, as JSON."""

import json
import os
import resource
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from .comparing import KINDS, Fault
from .database import Named

EVERY_SECONDS = 2.0


@dataclass
class Report:
    """Count faults and print them: a line for each fault at once, and the sums at the end."""

    out: TextIO
    started: float = field(default_factory=time.time)
    files: Counter[str] = field(default_factory=Counter)
    bytes: Counter[str] = field(default_factory=Counter)
    faults: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    looked_at: int = 0
    _last_progress: float = 0

    def count(self, named: Iterator[Named]) -> Iterator[Named]:
        """Add files that the database names to their studies, and pass them on."""
        for one in named:
            self.files[one.study] += 1
            self.bytes[one.study] += one.counted
            self.progress()
            yield one

    def progress(self) -> None:
        """Print the progress every few seconds. Raises OSError once the reader has gone."""
        self.looked_at += 1
        if self.looked_at % 1000 == 0 and time.monotonic() - self._last_progress > EVERY_SECONDS:
            self._last_progress = time.monotonic()
            self._print({"lookedAt": self.looked_at})

    def fault(self, fault: Fault) -> None:
        """Count a fault, and print it."""
        self.faults[fault.kind].update(files=1, bytes=fault.size)
        path = os.fsdecode(fault.path).encode(errors="backslashreplace").decode()
        self._print({"kind": fault.kind, "path": path, "bytes": fault.size, "study": fault.study})

    def finish(self, last: Path) -> None:
        """Print the sums with those of the previous report, which the file `last` has, and replace that file."""
        sums: dict[str, Any] = {
            "taken": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.started)),
            "studies": {name: {"files": self.files[name], "bytes": self.bytes[name]} for name in sorted(self.files)},
            "faults": {
                kind: {"files": self.faults[kind]["files"], "bytes": self.faults[kind]["bytes"]} for kind in KINDS
            },
        }
        spent = {"seconds": round(time.time() - self.started, 1), "memoryMib": _memory_mib()}
        self._print({"report": sums | spent | {"before": _read(last)}})
        new = last.with_name(f"{last.name}.new")
        new.write_text(json.dumps(sums))
        new.replace(last)

    def _print(self, value: dict[str, Any]) -> None:
        self.out.write(json.dumps(value) + "\n")
        self.out.flush()


def _read(last: Path) -> Any:
    """The previous report; None if it does not exist or cannot be read."""
    try:
        return json.loads(last.read_text())
    except (OSError, ValueError):
        return None


def _memory_mib() -> int:
    """The peak memory of this program and of the largest program that it started."""
    # getrusage(RUSAGE_SELF) would include the parent: Linux keeps the peak of a process over exec.
    (own,) = (line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line)
    return (int(own) + resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) // 1024
