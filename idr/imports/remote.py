"""Calls `idr-import` on the read-write node over ssh."""

import json
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from idr.errors import IdrError
from idr.importer.rows import Row
from idr.remote import NO_CONNECTION, NO_KEY, arguments, failure
from model.outputs.topology import NodeView

SECONDS = 20
PROGRAM = ("sudo", "-n", "-u", "omero-import", "/usr/local/bin/idr-import")
NOT_INSTALLED = ("command not found", "No such file or directory")


@dataclass(frozen=True)
class Request:
    """An import: rows, files beside their list, and how many rows at once.

    `replace`: replace annotations of other origin too.
    """

    rows: Sequence[Row]
    beside: Mapping[str, Any]
    parallel: int
    per_mount: int
    replace: bool


@dataclass(frozen=True)
class Remote:
    """`idr-import` on a node, called through the bastion."""

    configuration: Path
    node: NodeView

    def faults(self, rows: Sequence[Row]) -> dict[str, Any]:
        """Check every path on the node, and return the faults by kind. Raises IdrError."""
        answer: dict[str, Any] = json.loads(self._call("check", data=_data(rows)))["faults"]
        return answer

    def queue(self, name: str, request: Request) -> None:
        """Queue an import. Raises IdrError."""
        words = [str(request.parallel), str(request.per_mount), *(["replace"] if request.replace else [])]
        data = {"rows": _data(request.rows), "beside": request.beside}
        self._call("queue", name, *words, data=data)

    def stop(self, name: str) -> None:
        """Stop an import: it starts no more rows. Raises IdrError."""
        self._call("stop", name)

    def report(self, name: str) -> dict[str, Any]:
        """Return the state of an import. Raises IdrError."""
        answer: dict[str, Any] = json.loads(self._call("report", name))
        return answer

    def has_session(self, name: str) -> bool:
        """Return whether an import has an OMERO session. Raises IdrError without a connection."""
        done = self._run("session", name)
        if done.returncode == NO_CONNECTION:
            raise self._error(done)
        return done.returncode == 0

    def log_in(self, name: str, user: str, group: str | None) -> None:
        """Log in to OMERO, which asks for the password on this terminal. Raises IdrError if that fails."""
        words = ["login", name, user, *((group,) if group else ())]
        command = ["ssh", "-t", "-F", str(self.configuration), self.node.name, _quoted(words)]
        if subprocess.run(command, check=False).returncode:
            msg = f"OMERO does not let {user} in"
            raise IdrError(msg)

    def _call(self, *words: str, data: Any = None) -> str:
        done = self._run(*words, data=data)
        if done.returncode:
            raise self._error(done)
        return done.stdout

    def _run(self, *words: str, data: Any = None) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            arguments(self.configuration, self.node, [_quoted(words)], SECONDS),
            input=json.dumps(data),
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )

    def _error(self, done: "subprocess.CompletedProcess[str]") -> IdrError:
        reason = failure(done.stderr, done.returncode)
        if reason != NO_KEY and any(text in done.stderr for text in NOT_INSTALLED):
            reason = "it takes no imports: either it is a demo, or `pulumi up` has not configured it for them yet"
        elif "a password is required" in done.stderr:
            reason = "your account may not import; idr:operators must give it the role curator or operator"
        return IdrError(f"{self.node.name}: {reason}")


def _quoted(words: Sequence[str]) -> str:
    return shlex.join([*PROGRAM, *words])


def _data(rows: Sequence[Row]) -> list[dict[str, Any]]:
    return [row.data() for row in rows]
