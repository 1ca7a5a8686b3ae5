"""Where PyYAML divides a text into words otherwise than Pulumi's engine does (gopkg.in/yaml.v3, scannerc.go)."""

from typing import Any

from yaml.scanner import Scanner

_Scanner: Any = Scanner
"""PyYAML has no types."""


class EngineScanner(_Scanner):  # type: ignore[misc]  # see there
    """Takes a tab for a space, except where a line begins."""

    def scan_to_next_token(self) -> None:
        """Go on to the next word: behind spaces, comments and ends of lines, and behind tabs."""
        super().scan_to_next_token()
        while self.peek() == "\t" and (self.flow_level or not self.allow_simple_key):
            self.forward()
            super().scan_to_next_token()

    def scan_plain_spaces(self, indent: int, start_mark: Any) -> list[str] | None:
        """What is between two words of text without quotes: None where the document ends."""
        length = 0
        while self.peek(length) in (" ", "\t"):
            length += 1
        spaces = self.prefix(length)
        self.forward(length)
        chunks: list[str] | None = super().scan_plain_spaces(indent, start_mark)
        return [spaces] if chunks == [] and spaces else chunks
