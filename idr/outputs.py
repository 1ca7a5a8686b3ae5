"""Read a stack's outputs, from the engine or from a saved file, which needs nothing else of this project."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import Field

from idr import engine
from idr.topology import OutputsError, checked
from model.outputs.contract import CONTRACT, CloudView
from model.outputs.topology import Topology
from model.outputs.view import View

From = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="FILE",
        help="Read what `pulumi stack output --json` printed from FILE, or from standard input with '-'.",
    ),
]


SAVE = "save the outputs with: pulumi stack output --json > FILE"


class Web(View):
    """Where visitors find the service."""

    web: str


class Deployed(View):
    """The part of a stack's outputs that commands use (`model.outputs.contract.Outputs` has all)."""

    topology: Topology
    endpoints: Web
    certificate_authority: str = Field(pattern="^[ -~\\n]+$", description="PEM")
    cloud: CloudView = CloudView(auth_url=None, region="", project_id="")


def read(stack: str | None, source: str | None) -> Deployed:
    """Return the outputs of `stack`, or those saved in `source`. Raises OutputsError or EngineError."""
    if source is None:
        if stack is None:
            raise typer.BadParameter("say which stack: --stack, or PULUMI_STACK, or --from FILE")
        values, name = engine.outputs(stack), f"stack '{stack}'"
    else:
        values, name = _saved(source), source
    if values.get("contract") != CONTRACT:
        has = f"contract {json.dumps(values['contract'])}" if "contract" in values else "no contract number"
        msg = f"{name}: outputs with {has}, this version reads contract {CONTRACT}; run `pulumi up` with this version"
        raise OutputsError(msg)
    return checked(Deployed, values, name)


def _saved(source: str) -> dict[str, Any]:
    try:
        # As bytes: the JSON parser detects UTF-16, which PowerShell's `>` writes.
        data = sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
        values = json.loads(data)
    except OSError as error:
        msg = f"{source}: {error.strerror}; {SAVE}"
        raise OutputsError(msg) from None
    except json.JSONDecodeError as error:
        msg = f"{source}: not JSON (line {error.lineno}: {error.msg}); {SAVE}"
        raise OutputsError(msg) from None
    except (ValueError, RecursionError):  # no text, numbers with thousands of digits, very deep nesting
        msg = f"{source}: not JSON as `pulumi stack output --json` prints it"
        raise OutputsError(msg) from None
    if not isinstance(values, dict):
        msg = f"{source}: not an object as `pulumi stack output --json` prints it"
        raise OutputsError(msg)
    return values
