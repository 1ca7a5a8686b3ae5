"""OMERO's own parsers accept every OMERO command line in the steps, the units and the guide."""

import json
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.clients import environment
from harness.stacks import ROOT

pytestmark = pytest.mark.cloud

SOURCES = ("cloudinit/*/scripts/*", "cloudinit/*/files/**/*.service", "cloudinit/*/files/**/*.sh")
OTHERS = ("dev/verify_official.py", "docs/guide.md")
CALL = re.compile(r"(?:^|as_omero |/bin/|timeout 60 )omero (?!web )([-\w].+)|\bomero_client (.+)", re.MULTILINE)
"""Without OMERO.web's, which the clients' environment lacks: every start of OMERO.web in the tests runs it."""
VARIABLES = {"$imported": "Image:1"}
"""Values of variables whose form the parser checks."""
OLD = "user add --ignore-existing --no-password --group-name public public Public User"
"""The command line with which the first deployment of each new database failed."""


def command_lines() -> Iterator[list[str]]:
    """Return the words of each line, up to the shell's part; the values of variables do not matter to the parser."""
    paths = [path for pattern in SOURCES for path in sorted(ROOT.glob(pattern)) if path.is_file()]
    for path in [*paths, *(ROOT / name for name in OTHERS)]:
        lines = (line for line in path.read_text().splitlines() if not line.lstrip().startswith("#"))
        for call in CALL.finditer("\n".join(lines)):
            words = shlex.shlex(call[1] or call[2], posix=True, punctuation_chars=True)
            words.whitespace_split = True
            line: list[str] = []
            for word in words:
                if set(word) <= set("();<>|&"):
                    if word.startswith(">") and line[-1].isdigit():
                        line.pop()  # a redirection of standard error
                    break
                line.append(VARIABLES.get(word, word))
            if "$@" not in line:
                yield line


def refused(lines: list[list[str]], folder: Path) -> str:
    """Return what OMERO's parser refuses; it creates the output files in the folder."""
    python = environment.environment() / "bin" / "python"
    done = subprocess.run(
        [*environment.NOT_ROOT, python, environment.HERE / "parse.py"],
        input=json.dumps(lines),
        capture_output=True,
        text=True,
        check=True,
        cwd=folder,
        env={"HOME": "/tmp", "PATH": "/usr/bin:/bin"},  # noqa: S108  # nothing is written there
        timeout=environment.SECONDS,
    )
    return done.stdout


def test_every_command_line_is_one_that_omero_takes(tmp_path: Path) -> None:
    lines = list(command_lines())
    assert {"login", "user", "db", "load", "import", "delete"} <= {word for line in lines for word in line}
    assert refused(lines, tmp_path) == ""
    assert refused([OLD.split()], tmp_path) == f"refused: {OLD}\n"
