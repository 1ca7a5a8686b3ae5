"""The command `roles`."""

import json
import sys

import typer
from rich.console import Console
from rich.table import Table

from bench.figures import AsJson
from bench.roles.measure import MeasureError, measured
from bench.roles.timeline import PHASES, TimelineError


def roles(as_json: AsJson = False) -> None:
    """Measure the seconds from `pulumi up` to ready, by phase, for one new node of each role at once.

    Needs the local OpenStack (make cloud). Takes a few minutes, in a separate project.
    """
    try:
        figures = measured()
    except (MeasureError, TimelineError) as error:
        Console(stderr=True, highlight=False).print(f"error: {error}", markup=False)
        raise typer.Exit(1) from None
    if as_json:
        sys.stdout.write(json.dumps({role: {**taken, "ready": sum(taken.values())} for role, taken in figures.items()}))
        sys.stdout.write("\n")
        return
    console = Console(highlight=False)
    console.print(table(figures))
    for phase, what in PHASES.items():
        console.print(f"{phase:>10}  {what}")


def table(figures: dict[str, dict[str, float]]) -> Table:
    """Return a table with one row for each role, the slowest last, for 80 columns."""
    times = Table(title="pulumi up to ready (s)", box=None, padding=(0, 1, 0, 0), pad_edge=False)
    times.add_column("role", no_wrap=True)
    for phase in (*PHASES, "ready"):
        times.add_column(phase, justify="right", no_wrap=True)
    for role, taken in sorted(figures.items(), key=lambda item: sum(item[1].values())):
        times.add_row(role, *(f"{seconds:.1f}" for seconds in (*taken.values(), sum(taken.values()))))
    return times
