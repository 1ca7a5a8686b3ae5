"""The topology among a stack's outputs. It imports no command line: the program reads outputs, too."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from idr.errors import IdrError
from model.outputs.topology import Topology


class OutputsError(IdrError):
    """Outputs that cannot be used; the text says whose and why."""


def of_outputs(outputs: Mapping[str, Any]) -> Topology:
    """The topology among the outputs. Raises OutputsError when it is not as the contract says."""
    try:
        return Topology.model_validate(outputs.get("topology"))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in ("topology", *first["loc"]))
        msg = f"these outputs are not as docs/outputs.schema.json says: {where}: {first['msg']}"
        raise OutputsError(msg) from None
