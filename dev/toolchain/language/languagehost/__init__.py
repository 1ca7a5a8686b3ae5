"""The language host's two halves: `serve` answers the engine, `program` runs one program in a process of its own."""

RUN_REPORTED = 32
"""Exit status of a program whose error the engine has already shown (as in the official host)."""
