"""The command line of `idr status`."""

import json

import typer
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

from cloudinit.render import bundle
from idr import outputs, stack_file
from idr.cli import FAILED, AsJson, Identity, OptionalStack, console, error_console, print_json
from idr.ssh import configuration
from idr.status.nodes import Applied, Status, ask_all
from model.outputs.topology import Topology


def command(
    stack: OptionalStack = None, source: outputs.From = None, as_json: AsJson = False, identity: Identity = None
) -> None:
    """How every node is: reachable, bootstrapped, configured as the settings say, roles healthy, disks, versions.

    Asks all nodes at once through the bastion. With --from, configurations are not compared with the settings.
    """
    made = outputs.topology(outputs.read(stack, source))
    expected = digests(stack, made) if stack and source is None else {}
    with configuration(made, identity) as file, Progress(console=error_console(), transient=True) as progress:
        task = progress.add_task("asking the nodes", total=len(made.nodes))
        found = ask_all(made, file, expected, lambda: progress.advance(task))
    well = not any(status.problems for status in found)
    if as_json:
        print_json({"ok": well, "nodes": [status.model_dump(mode="json", by_alias=True) for status in found]})
    else:
        _show(found)
    if not well:
        raise typer.Exit(FAILED)


def digests(stack: str, made: Topology) -> dict[str, str]:
    """What each node's configuration should be; a frozen release's nodes are left as they are, so they have none."""
    file = stack_file.read(stack, opened=True)
    plan, secrets = file.plan, file.secrets()
    ids = {node.name: {v.purpose: v.id for v in node.volumes if v.id} for node in made.nodes}
    if not plan.configure:
        return {}
    return {
        node.name: json.loads(bundle(node, plan, secrets, ids[node.name]))["digest"]
        for node in plan.nodes
        if node.name in ids and not plan.scope_of(node).frozen
    }


def _show(found: list[Status]) -> None:
    table = Table("node", "bootstrap", "configuration", "roles", "fullest disk", "versions")
    for status in found:
        table.add_row(*_row(status))
    out = console()
    out.print(table)
    for status in found:
        for problem in status.problems:
            out.print(Text.assemble((status.node, "red"), f": {problem}"))
    bad = sum(bool(status.problems) for status in found)
    out.print(f"{bad} of {len(found)} nodes have problems." if bad else f"All {len(found)} nodes are well.")


def _row(status: Status) -> tuple[Text | str, ...]:
    name = Text(status.node, "red" if status.problems else "")
    answer = status.answer
    if answer is None:
        return (name, "not reachable", "", "", "", "")
    applied = answer.applied or Applied()
    roles = Text(", ").join(
        [
            *(Text(role, "" if well else "red") for role, well in applied.healthy.items()),
            *(Text(f"{role} (slow)", "red") for role in applied.slow),
        ]
    )
    disk = max(answer.disks, key=lambda one: one.percent)
    versions = ", ".join(
        text if name == "system" else f"{name} {text}" for name, text in answer.versions.items() if name != "kernel"
    )
    return (name, answer.bootstrap, status.configuration.value, roles, f"{disk.mount} {disk.percent} %", versions)
