"""`idr-import` on the node, run as omero-import. `idr import` calls it over ssh; the systemd unit runs `work`.

idr-import check                         read a list as JSON on standard input; print its faults
idr-import queue NAME PARALLEL PER_MOUNT [replace]
                                         read a list and the files beside it as JSON on standard input; the unit imports
                                         them. With `replace`, replace annotations of other origin too
idr-import login NAME USER [GROUP]       ask for the password of an OMERO user; `queue` needs the session
idr-import session NAME                  exit with 0 if the session is alive
idr-import report NAME                   print the state of the import as JSON
idr-import stop NAME                     let running importers end, and start no more
idr-import log NAME OF                   print the logs of a row and its steps; OF is the name in the report
idr-import work                          import everything that is queued
"""

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from inspect import signature
from pathlib import Path
from typing import Any, Final

from . import checks, command_line
from .beside import Beside
from .database import Database
from .import_folder import ImportFolder, Settings
from .report import report
from .rows import Row, RowError
from .schedule import Limits
from .worker import Worker

IMPORTS = Path("/data/imports")
SETTINGS = Path("/etc/idr/import.json")
PASSWORD = Path("/etc/idr/omero/database-password")


def main(words: Sequence[str]) -> int:
    """Run a command; 2 is wrong usage."""
    os.umask(0o002)
    command = COMMANDS.get(words[0]) if words else None
    if command is None or not _takes(command, words[1:]):
        sys.stderr.write(__doc__ or "")
        return 2
    try:
        return command(*words[1:])
    except RowError as error:
        sys.stderr.write(f"{error}\n")
        return 1


def _takes(command: Callable[..., int], words: Sequence[str]) -> bool:
    try:
        signature(command).bind(*words)
    except TypeError:
        return False
    return True


def _rows(rows: Any) -> list[Row]:
    return [Row.of(row) for row in rows]


def _print(data: Any) -> int:
    sys.stdout.write(json.dumps(data) + "\n")
    return 0


def _check() -> int:
    settings = Settings.read(SETTINGS)
    return _print({"faults": checks.check(_rows(json.load(sys.stdin)), settings.mounts, settings.folders).faults})


def _queue(name: str, parallel: str, per_mount: str, *replace: str) -> int:
    settings, folder, request = Settings.read(SETTINGS), ImportFolder(name, IMPORTS), json.load(sys.stdin)
    rows, beside = _rows(request["rows"]), Beside.of(request["beside"])
    if folder.is_queued:
        raise RowError(f"{name} is being imported: wait, or stop it first")
    checked = checks.check(rows, settings.mounts, settings.folders)
    if checked.faults:
        raise RowError(f"not queued, since paths have faults: {json.dumps(checked.faults)}")
    folder.create()
    limits = Limits(int(parallel), int(per_mount))
    folder.queue(rows, checked.good, limits, beside, replace=replace == ("replace",))
    return 0


def _login(name: str, user: str, *group: str) -> int:
    folder = ImportFolder(name, IMPORTS)
    folder.create()
    words = command_line.login_command(Settings.read(SETTINGS).address, user, group[0] if group else None)
    return subprocess.run(words, env=folder.environment, check=False).returncode


def _session(name: str) -> int:
    folder = ImportFolder(name, IMPORTS)
    if not folder.sessions.exists():
        return 1
    words = command_line.session_command()
    with folder.in_session() as environment:
        done = subprocess.run(words, env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    return done.returncode


def _report(name: str) -> int:
    return _print(report(ImportFolder(name, IMPORTS)))


def _stop(name: str) -> int:
    ImportFolder(name, IMPORTS).run.unlink(missing_ok=True)
    return 0


def _log(name: str, of: str) -> int:
    folder = ImportFolder(name, IMPORTS)
    steps = folder.ledger_of_steps().outcomes
    outcomes = (folder.ledger().outcomes.get(of), *(steps.get(step.key) for step in folder.steps if step.of == of))
    logs = [outcome.log for outcome in outcomes if outcome and outcome.log]
    if not logs:
        raise RowError(f"the import {name} has no log of {of}")
    sys.stdout.writelines(Path(log).read_text(errors="replace") for log in logs)
    return 0


def _work() -> int:
    # One at a time: two would import a row twice.
    with (IMPORTS / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.stderr.write("another worker runs\n")
            return 1
        settings = Settings.read(SETTINGS)
        while folder := next(ImportFolder.queued(IMPORTS), None):
            if not Worker(folder, settings, Database(settings.connection, PASSWORD), print)():
                return 0
    return 0


COMMANDS: Final[dict[str, Callable[..., int]]] = {
    "check": _check,
    "queue": _queue,
    "login": _login,
    "session": _session,
    "report": _report,
    "stop": _stop,
    "log": _log,
    "work": _work,
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
