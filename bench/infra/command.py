"""The command `infra`."""

from typing import Annotated

import typer
from rich.console import Console

from bench.figures import AsJson, show
from bench.infra.measure import MeasureError, compare
from bench.infra.terraform import TerraformError
from bench.infra.translate import TranslationError

err = Console(stderr=True, highlight=False)


def infra(
    nodes: Annotated[list[int], typer.Option(min=9, help="How many nodes; may be repeated.")] = [9, 50],  # noqa: B006  # typer copies it
    runs: Annotated[int, typer.Option(min=1, help="How often; the median counts.")] = 3,
    as_json: AsJson = False,
) -> None:
    """Create, preview and enlarge the same infrastructure with this program and with Terraform, in turns.

    Needs the local OpenStack with two fake hosts (make cloud) and Go, which builds Terraform's provider once.
    """
    figures: dict[str, float] = {}
    try:
        for number in nodes:
            figures |= compare(number, runs, err.print)
    except (MeasureError, TerraformError, TranslationError) as error:
        err.print(f"error: {error}", markup=False)
        raise typer.Exit(1) from None
    show(figures, as_json=as_json)
