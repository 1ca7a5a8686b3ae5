"""The picture as Mermaid text, for Markdown."""

import re

from idr.diagram.boxes import Box, Picture, port
from model.firewall import WORLD


def mermaid(picture: Picture) -> str:
    """Return a flowchart: a subgraph per network, a box for equal nodes, ports on the arrows."""
    topology = picture.topology
    lines = ["flowchart LR"]
    lines += [f'  {_id(box.name)}(["{box.name}"])' for box in picture.boxes if box.network is None]
    for network in topology.networks:
        lines.append(f'  subgraph net_{_id(network.name)}["{network.name}: {network.cidr}"]')
        lines += [f"    {_box(box)}" for box in picture.boxes if box.network == network.name]
        lines.append("  end")
    for box in picture.boxes:
        for node in box.nodes:
            for volume in node.volumes:
                text = f"{volume.name}<br>{volume.size_gib} GiB"
                lines.append(f'  {_id(box.name)} --- vol_{_id(volume.name)}[("{text}")]')
    lines += [f'  {_id(line.source)} -- "{line.label}" --> {_id(line.target)}' for line in picture.lines]
    return "\n".join([*lines, *_everywhere(picture)]) + "\n"


def _box(box: Box) -> str:
    names = "<br>".join(f"{node.name} {node.address}" for node in box.nodes)
    return f'{_id(box.name)}["{names}<br><i>{", ".join(box.nodes[0].roles)}</i>"]'


def _everywhere(picture: Picture) -> list[str]:
    """Return dotted arrows between networks, for flows of every node."""
    network_of = {node.name: node.network for node in picture.topology.nodes}
    ports: dict[tuple[str, str], list[str]] = {}
    for flow in picture.everywhere:
        sources = {network_of.get(name, name) for name in flow.source}
        targets = {network_of.get(name, name) for name in flow.target}
        for source in sorted(sources):
            for target in sorted(targets - sources):
                labels = ports.setdefault((source, target), [])
                if port(flow) not in labels:
                    labels.append(port(flow))
    drawn = {box.name for box in picture.boxes}
    outside = ['  world(["world"])'] if WORLD not in drawn and any(WORLD in pair for pair in ports) else []
    names = {network.name for network in picture.topology.networks}
    return outside + [
        f'  {_end(source, names)} -. "{", ".join(labels)}" .-> {_end(target, names)}'
        for (source, target), labels in ports.items()
    ]


def _end(name: str, networks: set[str]) -> str:
    return f"net_{_id(name)}" if name in networks else _id(name)


def _id(name: str) -> str:
    # `end` and others are keywords of Mermaid; a letter in front makes any name safe.
    return "world" if name == WORLD else "n_" + re.sub(r"\W", "_", name)
