"""`python -m bench prewarm`: what the pre-warm reaches, beside what the same upstream serves to h2load."""

import json
import sys
from typing import Annotated

import typer
from rich.console import Console

from bench.prewarm.measure import hours, measured

NODES = (1, 2, 4, 8)


def prewarm(
    images: Annotated[int, typer.Option(min=64, help="Thumbnails for the rates.")] = 4_000,
    killed: Annotated[int, typer.Option(min=1_000, help="Thumbnails of the run that is killed.")] = 20_000,
    most: Annotated[int, typer.Option(min=10_000, help="Ids of the larger run for memory.")] = 1_000_000,
    rate: Annotated[float, typer.Option(help="Thumbnails/s of one read-only node, for the hours.")] = 0.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """The pre-warm: rate, memory, what a kill repeats, hours. Loopback only; a quarter of an hour."""
    figures = measured(images, killed, (10_000, most))
    per_node = rate or figures["OMERO.web-like upstream: idr prewarm (answers/s)"]
    for nodes in NODES:
        figures[f"2.8 million thumbnails, {nodes} x {per_node:.0f}/s (hours)"] = hours(per_node, nodes)
    if as_json:
        sys.stdout.write(json.dumps(figures) + "\n")
        return
    console = Console(highlight=False)
    for name, value in figures.items():
        console.print(f"{value:12.2f}  {name}")
