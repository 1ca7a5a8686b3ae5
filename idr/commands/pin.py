"""`idr pin`: the sums of what a stack file names by URL."""

from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from idr import checkout, cli
from idr.errors import IdrError
from idr.pin import fetch_sum, pin


def command(
    stack: cli.Stack,
    renew: Annotated[bool, typer.Option("--renew", help="Replace sums that no longer fit.")] = False,
    packages: Annotated[bool, typer.Option("--packages", help="Write lock files only; fetch no archives.")] = False,
    as_json: cli.AsJson = False,
) -> None:
    """Fetch OMERO's distribution and other files that the settings name, and write the SHA-256 sums beside their URLs.

    Also writes the lock files of idr:omero.addons and idr:web.requirements, where the settings name them.
    """
    file = checkout.stack_file(stack)
    if not file.is_file():
        msg = f"there is no stack file {file.name}; there are stacks: {', '.join(checkout.stack_names())}"
        raise IdrError(msg)
    columns = (TextColumn("{task.description:<15}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=Console(stderr=True, highlight=False), transient=True) as progress:
        sums = pin(file, lambda part: fetch_sum(part, progress), renew=renew, archives=not packages)
    if as_json:
        cli.print_json(sums)
        return
    for name, digest in sums.items():
        cli.console().print(f"{name:<15} {digest}")
