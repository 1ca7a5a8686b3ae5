"""Stubs for programs on PATH: they record their calls and give the answers that a test sets."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

import pytest

TEXT = """#!/usr/bin/env -S python3 -IS
import json, os, sys
here = os.path.join(os.path.dirname(os.path.abspath(__file__)), {name!r} + ".stub")
given = "" if os.fstat(0).st_rdev == os.stat("/dev/null").st_rdev else sys.stdin.read()
call = {{"arguments": sys.argv[1:], "input": given, "folder": os.getcwd(), "environment": dict(os.environ)}}
with open(here + "/calls", "a+") as file:
    file.write(json.dumps(call) + "\\n")
    file.seek(0)
    number = len(file.readlines()) - 1
with open(here + "/answers") as file:
    answers = json.load(file)
status, out, err = answers[min(number, len(answers) - 1)]
sys.stdout.write(out)
sys.stderr.write(err)
sys.exit(status)
"""


@dataclass(frozen=True)
class Call:
    """A call of a program."""

    arguments: list[str]
    input: str
    folder: str
    environment: dict[str, str]


@dataclass(frozen=True)
class Stub:
    """A stub of a program."""

    folder: Path

    def answers(self, *answers: tuple[int, str, str]) -> None:
        """Set exit status, standard output and standard error of each call; the last answer is repeated."""
        (self.folder / "answers").write_text(json.dumps(answers))

    @property
    def calls(self) -> list[Call]:
        """Return its calls so far."""
        file = self.folder / "calls"
        return [Call(**json.loads(line)) for line in file.read_text().splitlines()] if file.exists() else []


def put(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> Stub:
    """Put a stub of the program `name` first on PATH. It does nothing and succeeds until a test sets an answer."""
    stub = Stub(folder / f"{name}.stub")
    stub.folder.mkdir()
    program = folder / name
    program.write_text(TEXT.format(name=name))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    stub.answers((0, "", ""))
    return stub
