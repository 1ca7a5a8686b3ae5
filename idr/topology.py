"""The topology of a stack, from its outputs or its plan. The program reads outputs too."""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from idr.errors import IdrError
from model.outputs.topology import NodeView, Topology, topology
from model.outputs.view import View
from model.plan import Plan
from model.secrets import Secrets

Some = TypeVar("Some", bound=View)

STAND_IN = Secrets("plan", "only an `up` has the stack's secret; nothing of this is shown")


class OutputsError(IdrError):
    """Outputs cannot be used."""


def of_outputs(outputs: Mapping[str, Any]) -> Topology:
    """Return the topology of the outputs. Raises OutputsError if it does not follow the contract."""
    return checked(_OfTopology, outputs, "the stack's outputs").topology


def checked(view: type[Some], outputs: Mapping[str, Any], name: str) -> Some:
    """Return the part of the outputs that a view has. Raises OutputsError with `name` if it is not valid."""
    try:
        return view.model_validate(outputs)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        reason = first["msg"].removeprefix("Value error, ")
        msg = f"{name}: not as docs/outputs.schema.json says: {where}: {reason}"
        raise OutputsError(msg) from None


class _OfTopology(View):
    topology: Topology


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
