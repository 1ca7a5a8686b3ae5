"""What other programs say, as a part of this program's own messages: whole, on one line."""

import re

import yaml

COUNT = re.compile(r"\d+ errors? occurred:")
"""How Go's multierror begins; the errors follow, each with a star."""
NOTHING = "no message"


def reason(error: Exception | str) -> str:
    """The whole message of another program, on one line. Of a YAML error, where it is and what is wrong."""
    if isinstance(error, yaml.MarkedYAMLError):
        return _yaml_reason(error)
    lines = [line.strip().removeprefix("* ") for line in str(error).splitlines()]
    kept = [COUNT.sub("", line).strip() for line in lines]
    # A provider wraps its own framing around the cloud's: "invocation of ... failed: 1 error occurred:".
    return " ".join(line for line in kept if line) or NOTHING


def _yaml_reason(error: yaml.MarkedYAMLError) -> str:
    mark = error.problem_mark or error.context_mark
    where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
    return where + ", ".join(part for part in (error.problem, error.context) if part)
