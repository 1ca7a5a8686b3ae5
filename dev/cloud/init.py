"""PID 1 of the cloud's namespaces: run the supervisor, reap orphans, and end with it, which ends all processes.

It is separate from the supervisor: a process that reaps all children takes the exit codes for which `subprocess` waits.
"""

import os
import signal
import sys
from pathlib import Path


def main() -> int:
    """Run the supervisor of the state folder in `argv`. Return its exit code."""
    child = os.fork()
    if child == 0:
        from dev.cloud.supervisor import supervise  # PID 1 loads only what it needs

        os._exit(supervise(Path(sys.argv[1])))
    signal.signal(signal.SIGTERM, lambda *_: os.kill(child, signal.SIGTERM))
    while True:
        pid, status = os.wait()
        if pid == child:
            return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(main())
