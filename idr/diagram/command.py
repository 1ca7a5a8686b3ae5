"""The command line of `idr diagram`."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from idr import outputs, stack_file
from idr.cli import OptionalStack, write
from idr.diagram.boxes import picture
from idr.diagram.mermaid import mermaid
from idr.diagram.svg import svg
from idr.topology import of_plan


class Format(StrEnum):
    """What to draw as."""

    SVG = "svg"
    MERMAID = "mermaid"


def command(
    stack: OptionalStack = None,
    source: outputs.From = None,
    form: Annotated[Format, typer.Option("--format", help="What to draw as.")] = Format.SVG,
    output: Annotated[Path | None, typer.Option(help="Write to FILE instead of standard output.")] = None,
) -> None:
    """Draw networks, nodes, volumes and flows, from the stack's settings alone or from saved outputs.

    The same settings give the same bytes, so that a picture in a repository changes with the stack only.
    """
    if source is None and stack is None:
        raise typer.BadParameter("say which stack: --stack, or PULUMI_STACK, or --from FILE")
    topology = outputs.read(stack, source).topology if source else of_plan(stack_file.read(str(stack)).plan)
    write({Format.SVG: svg, Format.MERMAID: mermaid}[form](picture(topology)), output)
