"""The command `attack`."""

import json
import math
import sys

import typer
from rich.console import Console
from rich.table import Table

from bench.figures import AsJson
from harness.attack import hostile
from harness.attack.measure import AttackError, Figures, measured


def attack(as_json: AsJson = False) -> None:
    """Attack the local IDR as one hostile visitor, and measure what other visitors notice.

    Each kind of attack takes 20 s, all about three minutes. Needs the local IDR (make up), and attacks nothing else.
    """
    try:
        figures = measured()
    except AttackError as error:
        Console(stderr=True, highlight=False).print(f"error: {error}", markup=False)
        raise typer.Exit(1) from None
    if as_json:
        sys.stdout.write(json.dumps({kind: plain(one) for kind, one in figures.items()}) + "\n")
        return
    console = Console(highlight=False)
    console.print(table(figures))
    for kind, what in hostile.KINDS.items():
        did = ", ".join(f"{number} {name}" for name, number in figures[kind].attacker.items())
        console.print(f"{kind:>10}  {what.__doc__} ({did})", markup=False)


def plain(figures: Figures) -> dict[str, object]:
    """Return the figures for JSON: null where there was no response."""
    login = None if math.isinf(figures.login) else figures.login
    pages = {"cached": figures.cached, "uncached": figures.uncached}
    medians = {name: page.median if page.seconds else None for name, page in pages.items()}
    failed = {name: page.failed for name, page in pages.items()}
    return {
        "seconds": {**medians, "login": login},
        "failed": failed,
        "attacker": figures.attacker,
        "beginning": figures.beginning,
        "proxy": figures.proxy,
    }


def table(figures: dict[str, Figures]) -> Table:
    """Return a table with one row for each kind: medians in milliseconds, and failed requests of all requests."""
    times = Table(title="an ordinary visitor (ms)", box=None, padding=(0, 1, 0, 0), pad_edge=False)
    for name in ("during", "cached", "failed", "uncached", "failed", "login (s)", "nginx (%)"):
        times.add_column(name, justify="left" if name == "during" else "right", no_wrap=True)
    for kind, one in figures.items():
        pages = (
            text
            for page in (one.cached, one.uncached)
            for text in (f"{1000 * page.median:.1f}", f"{page.failed}/{page.failed + len(page.seconds)}")
        )
        times.add_row(kind, *pages, f"{one.login:.1f}", f"{100 * one.proxy:.1f}")
    return times
