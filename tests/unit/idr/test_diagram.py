"""`idr diagram` and `idr plan` name every node and flow, and the same settings give the same picture."""

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml
from typer.testing import CliRunner

from harness import stacks
from idr.__main__ import app
from idr.diagram.boxes import Line, picture
from idr.diagram.layout import layout
from idr.diagram.mermaid import mermaid
from idr.diagram.svg import svg
from idr.names import listed
from idr.topology import of_plan
from model.outputs.topology import Topology
from model.planning import plan
from model.reading import Source, parse

runner = CliRunner()
EXAMPLES = sorted((stacks.ROOT / "examples").glob("Pulumi.*.yaml"))


def example(file: Path) -> Topology:
    config = yaml.safe_load(file.read_text())["config"]
    values = {key.removeprefix("idr:"): value for key, value in config.items() if key.startswith("idr:")}
    return of_plan(plan(parse(values, Source("example", file.name)), "example"))


TOPOLOGIES = {
    **{stack: of_plan(stacks.plan_of(stack)) for stack in stacks.STACK_FILES},
    **{file.name: example(file) for file in EXAMPLES},
}


@pytest.mark.parametrize("name", TOPOLOGIES)
def test_the_svg_names_every_node_address_volume_and_flow(name: str) -> None:
    topology = TOPOLOGIES[name]
    # Made here, from no foreign input.
    texts = [element.text or "" for element in ElementTree.fromstring(svg(picture(topology))).iter()]  # noqa: S314  # our own
    for node in topology.nodes:
        assert f"{node.name}  {node.address}" in texts
        for volume in node.volumes:
            assert f"{volume.purpose}: {volume.size_gib} GiB at {volume.mount}" in texts
    for flow in topology.flows:
        assert {listed(flow.source, topology), listed(flow.target, topology), flow.why} <= set(texts)


@pytest.mark.parametrize("name", TOPOLOGIES)
def test_no_box_covers_another(name: str) -> None:
    boxes = layout(picture(TOPOLOGIES[name])).boxes
    for position, one in enumerate(boxes):
        for other in boxes[:position]:
            beside = one.right <= other.left or other.right <= one.left
            assert beside or one.bottom <= other.top or other.bottom <= one.top, (one.title, other.title)


@pytest.mark.parametrize("name", TOPOLOGIES)
def test_mermaid_has_every_node_and_uses_only_what_it_declares(name: str) -> None:
    topology = TOPOLOGIES[name]
    text = mermaid(picture(topology))
    assert all(f"{node.name} {node.address}" in text for node in topology.nodes)
    arrows = [line.split() for line in text.splitlines() if "-->" in line or ".->" in line]
    declared = {line.split()[-1].split("[")[0].split("(")[0] for line in text.splitlines() if "subgraph" in line}
    declared |= {line.strip().split("[")[0].split("(")[0] for line in text.splitlines() if '"' in line}
    nets = {line.split()[1].split("[")[0] for line in text.splitlines() if "subgraph" in line}
    assert {end for arrow in arrows for end in (arrow[0], arrow[-1])} <= declared | nets


def test_the_picture_is_the_same_bytes_in_every_process() -> None:
    program = "from harness import stacks; from idr.diagram import boxes, svg; from idr.topology import of_plan;"
    program += "print(svg.svg(boxes.picture(of_plan(stacks.plan_of('ebi')))), end='')"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=stacks.ROOT,
        # This process has another, random seed.
        env={"PYTHONHASHSEED": "1"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert done == svg(picture(TOPOLOGIES["ebi"]))


def test_the_picture_in_the_documentation_is_that_of_the_stack() -> None:
    file = stacks.ROOT / "docs" / "ebi.svg"
    assert file.read_text() == svg(picture(TOPOLOGIES["ebi"])), (
        "renew it with: bin/idr diagram -s ebi --output docs/ebi.svg"
    )


def test_ports_in_a_row_are_named_by_the_first_and_the_last() -> None:
    labels = {(line.source, line.target): line.label for line in picture(TOPOLOGIES["ebi"]).lines}
    assert labels["world", "prod130-proxy"] == "80, 443, 4064, 14061-14064"
    assert (
        Line("a", "b", ("79", "80", "81/udp", "82", "90", "91", "92/udp")).label == "79, 80, 81/udp, 82, 90, 91, 92/udp"
    )


def test_nodes_are_named_together_as_people_do() -> None:
    topology = TOPOLOGIES["ebi"]
    everyone = tuple(node.name for node in topology.nodes if node.release)
    assert listed(everyone, topology) == "every node of prod130"
    assert listed(everyone[1:], topology).endswith("prod130-proxy, prod130-management, prod130-omeroreadonly-1..4")
    assert listed(("world",), topology) == "world"


def test_plan_shows_nodes_volumes_and_what_only_an_operator_knows() -> None:
    done = runner.invoke(app, ["plan", "-s", "ebi"])
    assert done.exit_code == 0
    assert "10 nodes, 4 data volumes of 2500 GiB in all; live: prod130" in done.stdout
    assert "idr:stackSecret: is not set yet" in done.stdout


def test_plan_as_json_has_no_stand_ins() -> None:
    plan_data = json.loads(runner.invoke(app, ["plan", "-s", "ebi", "--json"]).stdout)
    assert len(plan_data["nodes"]) == 10
    assert {"hostKey", "id", "publicAddress"}.isdisjoint(plan_data["nodes"][0])
    assert {row["direction"] for row in plan_data["firewall"]} == {"ingress", "egress"}
    assert plan_data["missing"]


def test_plan_shows_where_raw_images_come_from() -> None:
    raw_images = json.loads(runner.invoke(app, ["plan", "-s", "uod", "--json"]).stdout)["rawImages"]
    assert raw_images["/uod/idr/filesets"] == "idr-data.openmicroscopy.org:/uod/idr/filesets (ro)"
    shown = runner.invoke(app, ["plan", "-s", "uod"]).stdout
    assert all(path in shown and source in shown for path, source in raw_images.items())
    assert "raw images at" not in runner.invoke(app, ["plan", "-s", "ebi"]).stdout


def test_diagram_without_stack_and_file_is_wrong_usage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PULUMI_STACK", raising=False)
    assert runner.invoke(app, ["diagram"]).exit_code == 2
