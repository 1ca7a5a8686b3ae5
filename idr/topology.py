"""The topology of a stack, from its outputs or its plan. The program reads outputs too."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from idr.errors import IdrError
from model.outputs.topology import NodeView, Topology, topology
from model.plan import Plan
from model.secrets import Secrets

STAND_IN = Secrets("plan", "only an `up` has the stack's secret; nothing of this is shown")


class OutputsError(IdrError):
    """Outputs cannot be used."""


def of_outputs(outputs: Mapping[str, Any]) -> Topology:
    """Read the topology in the outputs. Raises OutputsError if it does not follow the contract."""
    try:
        return Topology.model_validate(outputs.get("topology"))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in ("topology", *first["loc"]))
        msg = f"these outputs are not as docs/outputs.schema.json says: {where}: {first['msg']}"
        raise OutputsError(msg) from None


def of_plan(plan: Plan) -> Topology:
    """Return the planned topology. Its host keys are placeholders, because the stack secret is unknown here."""
    return topology(plan, STAND_IN)


def find(topology: Topology, name: str) -> NodeView:
    """Return the node of that name, or the live release's of that short name. Raises IdrError if there is none."""
    for node in topology.nodes:
        if node.name == name or (node.alias == name and node.release == topology.live):
            return node
    msg = f"no such node: {name}; there are: {', '.join(node.name for node in topology.nodes)}"
    raise IdrError(msg)
