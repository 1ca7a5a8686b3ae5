"""Messages of other programs on one line, to be a part of this program's messages."""

import re

import yaml

COUNT = re.compile(r"\d+ errors? occurred:")
"""The first line of Go's multierror; each error follows after a star."""
NOTHING = "no message"


def reason(error: Exception | str) -> str:
    """Return the message of another program on one line; of a YAML error, its position and problem."""
    if isinstance(error, yaml.MarkedYAMLError):
        return _yaml_reason(error)
    return " ".join(lines(str(error))) or NOTHING


def lines(text: str) -> list[str]:
    """Return the lines of a message without prefixes and indentation that other programs added."""
    stripped = [line.strip().removeprefix("* ") for line in text.splitlines()]
    # As in "invocation of ... failed: 1 error occurred:", with the cloud's own words below.
    return [kept for line in stripped if (kept := COUNT.sub("", line).strip())]


def of_engine(text: str) -> str:
    """Return the engine's errors in its output, from the first one on."""
    kept = lines(text)
    first = next((number for number, line in enumerate(kept) if line.startswith("error:")), None)
    last = next((number for number, line in enumerate(kept) if line == "Resources:"), len(kept))
    return " ".join(kept[-1:] if first is None else kept[first:last]) or NOTHING


def _yaml_reason(error: yaml.MarkedYAMLError) -> str:
    mark = error.problem_mark or error.context_mark
    where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
    return where + ", ".join(part for part in (error.problem, error.context) if part)
