"""Commands and parts of stack files in the documentation, which the tests run.

The comment on the line above a fenced block tells the tests what to do with it:

    <!-- run -->                       run its commands; each must end with 0
    <!-- run; prints: TEXT -->         and TEXT must be in their output
    <!-- edit -->                      YAML: merge it into the stack file
    <!-- not run: REASON -->           it cannot be run here
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from harness.stacks import ROOT

FILES = (ROOT / "README.md", ROOT / "docs" / "guide.md")
LANGUAGES = ("console", "yaml")
Action = Literal["run", "edit", "not run"]


class DocsError(Exception):
    """The comment of a block is missing or wrong."""


@dataclass(frozen=True)
class Block:
    """A fenced block. `note` is the expected output, the key that an edit replaces, or why it is not run."""

    file: Path
    line: int
    language: str
    action: Action
    note: str
    text: str

    def __str__(self) -> str:
        return f"{self.file.name}:{self.line}"

    @property
    def commands(self) -> list[str]:
        """Return its command lines, without comments."""
        lines = (re.sub(r"\s+#\s.*", "", line).strip() for line in self.text.splitlines())
        return [line for line in lines if line and not line.startswith("#")]


def blocks(file: Path) -> Iterator[Block]:
    """Return the blocks of commands and YAML in a file. Raises DocsError for one without its comment."""
    pattern = re.compile(
        r"(?:<!-- (?P<mark>[^\n]*) -->\n)?^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
    )
    content = file.read_text()
    for match in pattern.finditer(content):
        if match["language"] not in LANGUAGES:
            continue
        line = content.count("\n", 0, match.start("text"))
        mark = re.fullmatch(r"(run|edit|not run)(?:[;:] (?:prints: )?(.+))?", match["mark"] or "")
        if not mark:
            msg = f"{file.name}:{line}: the block needs a comment that says what to do with it (see tests/docs.py)"
            raise DocsError(msg)
        action: Action = mark[1]  # type: ignore[assignment]  # the expression has these three words
        yield Block(file, line, match["language"], action, mark[2] or "", match["text"])


def on_stack(text: str, stack: str) -> str:
    """Return commands or output with the name of the stack `local` replaced by another."""
    return re.sub(r"((?:PULUMI_STACK=|-s |--stack )|^)local\b", rf"\g<1>{stack}", text)


def merged(document: Any, change: Any) -> Any:
    """Return a stack file's data with a part merged in: mappings key by key, all other values replaced."""
    if not isinstance(document, dict) or not isinstance(change, dict):
        return change
    return {**document, **{key: merged(document.get(key), value) for key, value in change.items()}}


def edited(block: Block, config: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    """Return the `config` of a stack file after an edit; `names` replace words for values that only the cloud has."""
    text = block.text
    for name, value in names.items():
        text = text.replace(name, value)
    result: dict[str, Any] = merged(config, yaml.safe_load(text))
    return result
