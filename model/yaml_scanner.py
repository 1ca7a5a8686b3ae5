"""A scanner of YAML for the cases where PyYAML differs from Pulumi's engine (gopkg.in/yaml.v3, scannerc.go)."""

from typing import Any

from yaml.scanner import Scanner

_Scanner: Any = Scanner
"""PyYAML has no types."""


class EngineScanner(_Scanner):  # type: ignore[misc]  # see there
    """Treats a tab as a space, except at the beginning of a line."""

    def scan_to_next_token(self) -> None:
        """Skip spaces, tabs, comments and line ends up to the next token."""
        super().scan_to_next_token()
        while self.peek() == "\t" and (self.flow_level or not self.allow_simple_key):
            self.forward()
            super().scan_to_next_token()

    def scan_plain_spaces(self, indent: int, start_mark: Any) -> list[str] | None:
        """Return the space between two words of unquoted text; None at the end of the document."""
        length = 0
        while self.peek(length) in (" ", "\t"):
            length += 1
        spaces = self.prefix(length)
        self.forward(length)
        chunks: list[str] | None = super().scan_plain_spaces(indent, start_mark)
        return [spaces] if chunks == [] and spaces else chunks
