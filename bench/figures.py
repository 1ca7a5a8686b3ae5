"""Prints the figures of all commands."""

import json
import sys
from collections.abc import Mapping
from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")]


def show(figures: Mapping[str, float], *, as_json: bool) -> None:
    """Print a line for each figure, or all of them as JSON."""
    if as_json:
        sys.stdout.write(json.dumps(figures) + "\n")
        return
    for name, value in figures.items():
        sys.stdout.write(f"{value:12.3f}  {name}\n")
