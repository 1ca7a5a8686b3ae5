"""Flows that a stack adds to the matrix (`idr:flows`), for services that this project does not run."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Annotated

from pydantic import AfterValidator, Field, ValidationInfo

from model.field_types import Section
from model.firewall import ANYWHERE, EVERY_NODE, FLOWS, WORLD, End, Flow
from model.flow_fields import Ports, Reason, Transport, port_problems
from model.hosts import is_dotted, machine_network
from model.programs import SERVER_PORTS
from model.roles import NodeRole, Role, SiteRole

ROLES = frozenset(str(role) for role in Role)


def end(text: str, site: Mapping[str, SiteRole]) -> End:
    """Parse one end of a flow; `site` has the site's own roles. Raises ValueError."""
    if text == WORLD:
        return WORLD
    if text == EVERY_NODE:
        return EVERY_NODE
    if text in ROLES:
        return Role(text)
    if text in site:
        return site[text]
    try:
        network = IPv4Network(text if is_dotted(text) else "")
    except ValueError:
        roles = ", ".join((*Role, *site))
        msg = f"must be {WORLD}, {EVERY_NODE} (every node), a role ({roles}) or a network as in 192.0.2.0/24"
        raise ValueError(msg) from None
    if network == ANYWHERE:
        msg = f"say {WORLD}"
        raise ValueError(msg)
    return machine_network(network)


def _known(text: str, info: ValidationInfo) -> str:
    """Return the end as a stack file writes it; a role of the site's own unchanged."""
    role = end(text, info.context or {})
    return role if isinstance(role, SiteRole) else text


FlowEnd = Annotated[str, AfterValidator(_known)]


class ExtraFlow(Section):
    """A flow in addition to the matrix: from every node of a role to ports of every node of another."""

    source: FlowEnd = Field(alias="from", description="A role, `node` (every node), `world`, or a network")
    target: FlowEnd = Field(alias="to", description="The same; at least one of both is a role or `node`")
    ports: Ports = Field(description='Numbers, or ranges as in "14060-14079"; at most 100 in all')
    transport: Transport = Field("tcp", description="The protocol of the ports")
    why: Reason = Field(description="What it is for; shown wherever the flow is")

    def problems(self) -> Iterator[str]:
        """Yield flows with both ends outside the stack, and lists of ports that are empty, too long or repeat one."""
        if not _inside(self.source) and not _inside(self.target):
            yield f"from {self.source} to {self.target}: one of them must be a role or `{EVERY_NODE}`"
        yield from port_problems(self.ports)

    def flows(self) -> Iterator[Flow]:
        """Return flows of the matrix, one for each port."""
        site = {str(text): text for text in (self.source, self.target) if isinstance(text, SiteRole)}
        for port in self.ports:
            yield Flow(end(self.source, site), end(self.target, site), port, self.why, self.transport)


def _is_role(text: str) -> bool:
    return text in ROLES or isinstance(text, SiteRole)


def _inside(text: str) -> bool:
    return text == EVERY_NODE or _is_role(text)


@dataclass(frozen=True)
class _Known:
    where: str
    why: str


def problems(
    extra: tuple[ExtraFlow, ...],
    roles: frozenset[NodeRole],
    of_site_roles: Iterable[Flow] = (),
    *,
    configures: bool = True,
) -> Iterator[str]:
    """Yield flows that exist already, and roles that no node of the stack has.

    `of_site_roles` are the flows that the site's own roles add to the matrix. If another tool configures the
    machines (not `configures`), flows may open the ports of single OMERO.servers.
    """
    table = (flow for flow in FLOWS if configures or flow.port not in SERVER_PORTS)
    known = {_identity(flow): _Known("the matrix", flow.why) for flow in (*table, *of_site_roles)}
    for position, one in enumerate(extra):
        for name, text in (("from", one.source), ("to", one.target)):
            if _is_role(text) and text not in roles:
                yield f"flows.{position}.{name}: no node has the role {text}"
        for flow in one.flows():
            earlier = known.setdefault(_identity(flow), _Known(f"flows.{position}", flow.why))
            if earlier.where != f"flows.{position}":
                yield (
                    f"flows.{position}: {one.source} to {one.target}, {flow.transport} {flow.port}: "
                    f"{earlier.where} has it already ({earlier.why})"
                )


def _identity(flow: Flow) -> tuple[End, End, int, Transport]:
    return flow.source, flow.target, flow.port, flow.transport
