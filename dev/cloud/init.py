"""PID 1 of the cloud's namespaces: runs the supervisor, reaps orphans, and ends with it, which ends everything.

Apart from the supervisor because whoever waits for every process takes away the exit codes that `subprocess` waits for.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path


def main() -> int:
    """Run the supervisor of the state folder in `argv`; its exit code."""
    child = os.fork()
    if child == 0:
        from dev.cloud.supervisor import supervise  # what PID 1 does not need, it does not load

        os._exit(supervise(Path(sys.argv[1])))
    signal.signal(signal.SIGTERM, lambda *_: os.kill(child, signal.SIGTERM))
    while True:
        pid, status = os.wait()
        if pid == child:
            return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(main())
