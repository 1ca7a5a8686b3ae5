"""Flows that a stack adds to the matrix (`idr:flows`), for services that something else than this project runs."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from model import firewall
from model.field_types import Section, Shape
from model.firewall import ANYWHERE, EVERY_NODE, FLOWS, WORLD, End, Flow, Transport
from model.hosts import is_dotted, machine_network
from model.roles import Role

ROLES = frozenset(str(role) for role in Role)
LAST_PORT = 65535
MOST_PORTS = 100
"""Ports of one flow. Each becomes a rule of its own, and a project's quota of rules is small."""


def end(text: str) -> End:
    """Either side of a flow, from its name. Raises ValueError."""
    if text == WORLD:
        return WORLD
    if text == EVERY_NODE:
        return EVERY_NODE
    if text in ROLES:
        return Role(text)
    try:
        network = IPv4Network(text if is_dotted(text) else "")
    except ValueError:
        msg = f"must be {WORLD}, {EVERY_NODE} (every node), a role ({', '.join(Role)}) or a network as in 192.0.2.0/24"
        raise ValueError(msg) from None
    if network == ANYWHERE:
        msg = f"say {WORLD}"
        raise ValueError(msg)
    return machine_network(network)


def _known(text: str) -> str:
    end(text)
    return text


def _ports(given: Any) -> Any:
    """Numbers as they are, and every port of ranges as in "14060-14079"."""
    return [port for one in given for port in _range(one)] if isinstance(given, list | tuple) else given


def _range(one: Any) -> list[Any]:
    first, dash, last = one.partition("-") if isinstance(one, str) else ("", "", "")
    if not (dash and _is_number(first) and _is_number(last)):
        return [one]
    if not int(first) <= int(last) <= LAST_PORT:
        msg = f"'{one}' is no range of ports"
        raise ValueError(msg)
    return list(range(int(first), int(last) + 1))


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= len(str(LAST_PORT))


FlowEnd = Annotated[str, AfterValidator(_known)]
Port = Annotated[int, Field(ge=1, le=LAST_PORT, strict=True)]
# Both firewalls keep it as a comment: nftables in quotes, at most 128 bytes; Neutron at most 255.
Reason = Annotated[
    str, Shape("(?! )[ !#-\\[\\]-~]{1,100}(?<! )", "one line of at most 100 letters, without quotes and backslashes")
]


class ExtraFlow(Section):
    """A flow beside those of the matrix: from every node of a role to ports of every node of another."""

    source: FlowEnd = Field(alias="from", description="A role, `node` (every node), `world`, or a network")
    target: FlowEnd = Field(alias="to", description="The same; at least one of both is a role or `node`")
    ports: Annotated[tuple[Port, ...], BeforeValidator(_ports, json_schema_input_type=list[int | str])] = Field(
        description='Numbers, or ranges as in "14060-14079"; at most 100 in all'
    )
    transport: Transport = Field("tcp", description="Of what the ports are")
    why: Reason = Field(description="What it is for; shown wherever the flow is")

    def problems(self) -> Iterator[str]:
        """Ends that are both outside; no port, too many, or one twice."""
        if not _inside(self.source) and not _inside(self.target):
            yield f"from {self.source} to {self.target}: one of them must be a role or `{EVERY_NODE}`"
        if not 1 <= len(self.ports) <= MOST_PORTS:
            yield f"ports: name 1 to {MOST_PORTS}, not {len(self.ports)}"
        twice = sorted(port for port, times in Counter(self.ports).items() if times > 1)
        if twice:
            yield f"ports: {', '.join(map(str, twice))} twice"

    def flows(self) -> Iterator[Flow]:
        """One for each port, as the matrix has them."""
        for port in self.ports:
            yield Flow(end(self.source), end(self.target), port, self.why, self.transport)


def _inside(text: str) -> bool:
    return text == EVERY_NODE or text in ROLES


@dataclass(frozen=True)
class _Known:
    where: str
    why: str


def problems(extra: tuple[ExtraFlow, ...], roles: frozenset[Role]) -> Iterator[str]:
    """Flows that are there already, and roles that no node of the stack has."""
    known = {_identity(flow): _Known("the matrix", flow.why) for flow in FLOWS}
    for position, one in enumerate(extra):
        for name, text in (("from", one.source), ("to", one.target)):
            if text in ROLES and text not in roles:
                yield f"flows.{position}.{name}: no node has the role {text}"
        for flow in one.flows():
            found = known.setdefault(_identity(flow), _Known(f"flows.{position}", flow.why))
            if found.where != f"flows.{position}":
                yield (
                    f"flows.{position}: {one.source} to {one.target}, {flow.transport} {flow.port}: "
                    f"{found.where} has it already ({found.why})"
                )


def _identity(flow: Flow) -> tuple[End, End, int, firewall.Transport]:
    return flow.source, flow.target, flow.port, flow.transport
