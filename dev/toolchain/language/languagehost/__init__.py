"""The language host's two halves: `serve` answers the engine, `program` runs one program in a process of its own."""

import subprocess
import sys

Program = subprocess.Popen[bytes]
"""A process that runs one program, whose job it reads from standard input."""

RUN_REPORTED = 32
"""Exit status of a program whose error the engine has already shown (as in the official host)."""


def start_program() -> Program:
    """Start a process for a program."""
    return Program([sys.executable, "-u", sys.argv[0], "--program"], stdin=subprocess.PIPE)
