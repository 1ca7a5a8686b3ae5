"""The content of the picture: a box for equal nodes, and a line for all ports that one box may open on another."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from idr.names import stem
from model.firewall import WORLD
from model.outputs.flows import Flow
from model.outputs.topology import NodeView, Topology
from model.role_description import Tier
from model.roles import FACTS

OUTSIDE, ENTRANCE, SERVICE, STORE, BEYOND = range(5)
"""Columns, from visitors to data: clients are left of servers."""

SHORTEST_ROW = 3
"""How many consecutive ports a label names by the first and the last."""


@dataclass(frozen=True)
class Box:
    """Equal nodes, or (without nodes) something outside the stack."""

    name: str
    network: str | None
    column: int
    nodes: tuple[NodeView, ...] = ()


@dataclass(frozen=True)
class Line:
    """Ports that the box `source` may open on the box `target`."""

    source: str
    target: str
    ports: tuple[str, ...]

    @property
    def label(self) -> str:
        """The ports as text; three or more consecutive ones by the first and the last."""
        return ", ".join(_in_short(self.ports))


@dataclass(frozen=True)
class Picture:
    """Boxes and lines.

    `everywhere` are flows of every node of a network. They are listed, because arrows for them would hide the others.
    """

    topology: Topology
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]
    everywhere: tuple[Flow, ...]


def picture(topology: Topology) -> Picture:
    """Return the picture of a topology."""
    boxes = {box.name: box for box in _boxes(topology)}
    box_of = {node.name: box.name for box in boxes.values() for node in box.nodes}
    everywhere = tuple(flow for flow in topology.flows if _concerns_all(flow, topology))
    ports: dict[tuple[str, str], dict[str, None]] = {}
    for flow in topology.flows:
        if flow in everywhere:
            continue
        for source in dict.fromkeys(box_of.get(name, name) for name in flow.source):
            for target in dict.fromkeys(box_of.get(name, name) for name in flow.target):
                _add_outside(boxes, source, OUTSIDE)
                _add_outside(boxes, target, BEYOND)
                if source != target:
                    ports.setdefault((source, target), {})[port(flow)] = None
    lines = tuple(
        Line(source, target, tuple(sorted(numbers, key=_number))) for (source, target), numbers in ports.items()
    )
    return Picture(topology, tuple(boxes.values()), lines, everywhere)


def port(flow: Flow) -> str:
    """Return a flow's port as text, without TCP."""
    return str(flow.port) if flow.protocol == "tcp" else f"{flow.port}/{flow.protocol}"


def _in_short(ports: Iterable[str]) -> Iterator[str]:
    rows = groupby(enumerate(ports), lambda one: int(one[1]) - one[0] if one[1].isdecimal() else one[1])
    for row in ([text for _, text in group] for _, group in rows):
        yield from (f"{row[0]}-{row[-1]}",) if len(row) >= SHORTEST_ROW else row


def _number(text: str) -> int:
    return int(text.partition("/")[0])


def _boxes(topology: Topology) -> list[Box]:
    alike: dict[str, list[NodeView]] = {}
    for node in topology.nodes:
        alike.setdefault(stem(node.name), []).append(node)
    return [Box(name, nodes[0].network, _column(nodes[0]), tuple(nodes)) for name, nodes in alike.items()]


def _column(node: NodeView) -> int:
    tiers = {facts.tier for role, facts in FACTS.items() if role in node.roles}
    # Roles of a site's own are services.
    if Tier.SERVICE in tiers or set(node.roles) - set(FACTS):
        return SERVICE
    return ENTRANCE if Tier.ENTRANCE in tiers else STORE


def _add_outside(boxes: dict[str, Box], name: str, column: int) -> None:
    if name not in boxes:
        boxes[name] = Box(name, None, column)


def _concerns_all(flow: Flow, topology: Topology) -> bool:
    """Return whether the flows of this port and purpose have every node of a network at one end."""
    same = [other for other in topology.flows if (other.port, other.why) == (flow.port, flow.why)]
    ends = ({name for other in same for name in other.source}, {name for other in same for name in other.target})
    if WORLD in flow.target:
        return True
    networks = [{node.name for node in topology.nodes if node.network == network.name} for network in topology.networks]
    return any(len(members) > 1 and members <= end for members in networks for end in ends)
