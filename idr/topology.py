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
    """Outputs that cannot be used; the text says which and why."""


def of_outputs(outputs: Mapping[str, Any]) -> Topology:
    """The topology among the outputs. Raises OutputsError when it is not as the contract says."""
    try:
        return Topology.model_validate(outputs.get("topology"))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in ("topology", *first["loc"]))
        msg = f"these outputs are not as docs/outputs.schema.json says: {where}: {first['msg']}"
        raise OutputsError(msg) from None


def of_plan(plan: Plan) -> Topology:
    """The topology as planned. Its host keys are placeholders, because the stack secret is not known here."""
    return topology(plan, STAND_IN)


def find(topology: Topology, name: str) -> NodeView:
    """The node of that name, or the live release's of that short name. Raises IdrError when there is none."""
    for node in topology.nodes:
        if node.name == name or (node.alias == name and node.release == topology.live):
            return node
    msg = f"no such node: {name}; there are: {', '.join(node.name for node in topology.nodes)}"
    raise IdrError(msg)
