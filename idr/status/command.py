"""The command line of `idr status`."""

import json
from concurrent.futures import ThreadPoolExecutor

import typer
from rich.progress import Progress
from rich.text import Text

from cloudinit.render import bundle
from cloudinit.templates import RenderError
from idr import outputs, running, stack_file
from idr.cli import FAILED, AsJson, Identity, Login, OptionalStack, console, error_console, print_json, table
from idr.errors import IdrError
from idr.remote import configuration
from idr.status import outside
from idr.status.nodes import Applied, Status, ask_all, judged
from idr.status.outside import Public
from model.outputs.topology import Topology


def command(
    stack: OptionalStack = None,
    source: outputs.From = None,
    as_json: AsJson = False,
    identity: Identity = None,
    login: Login = None,
) -> None:
    """Show the state of every node: reachable, bootstrapped, configured as the settings say, roles healthy, disks.

    Asks all nodes at once through the bastion, Nova for their servers, and the public address for a page. With --from,
    configurations are not compared with the settings, and Nova is not asked. --json has versions as well.
    """
    deployed = stack if source is None else None
    update = running.notice(deployed) if deployed else None
    if update:
        typer.echo(f"note: {update}", err=True)
    known = outputs.read(stack, source)
    topology = known.topology
    expected = digests(deployed, topology) if deployed else {}
    with (
        configuration(topology, identity, login) as file,
        Progress(console=error_console(), transient=True) as progress,
        ThreadPoolExecutor() as pool,
    ):
        servers = pool.submit(outside.servers, deployed, known.cloud.project_id, topology) if deployed else None
        visited = pool.submit(outside.public, known)
        task = progress.add_task("asking the nodes", total=len(topology.nodes))
        answers = ask_all(topology, file, lambda: progress.advance(task))
    states: dict[str, str] = {}
    try:
        states = servers.result() if servers else {}
    except IdrError as error:
        typer.echo(f"note: Nova is not asked: {error}", err=True)
    statuses = judged(answers, expected, states, configured=topology.configured)
    public = visited.result()
    # What another tool lets the address answer is not known here.
    well = not any(status.problems for status in statuses) and (public.answers or not topology.configured)
    if as_json:
        nodes = [status.model_dump(mode="json", by_alias=True) for status in statuses]
        print_json({"ok": well, "update": update, "public": public.model_dump(by_alias=True), "nodes": nodes})
    else:
        _show(statuses, public)
    if not well:
        raise typer.Exit(FAILED)


def digests(stack: str, topology: Topology) -> dict[str, str]:
    """Return the digest of each node's planned configuration, without those of frozen releases, which keep theirs."""
    file = stack_file.read(stack, opened=True)
    plan, secrets = file.plan, file.secrets()
    ids = {node.name: {v.purpose: v.id for v in node.volumes if v.id} for node in topology.nodes}
    locations = {share.name: share.source for share in topology.shares if share.source}
    if not plan.settings.configure:
        return {}
    try:
        return {
            node.name: json.loads(bundle(node, plan, secrets, ids[node.name], locations))["digest"]
            for node in plan.nodes
            if node.name in ids and not plan.scope_of(node).frozen
        }
    except RenderError as error:
        raise IdrError(str(error)) from None


def _show(statuses: list[Status], public: Public) -> None:
    shown = table("node", "server", "configuration", "roles", "disk", whole=["node", "server", "configuration", "disk"])
    for status in statuses:
        shown.add_row(*_row(status))
    out = console()
    out.print(shown)
    for status in statuses:
        for problem in status.problems:
            out.print(Text.assemble((status.node, "red"), f": {problem}"))
        for notice in status.notices:
            out.print(Text.assemble((status.node, "yellow"), f": {notice}"))
    colour = "" if public.answers else "red"
    out.print(Text.assemble("Public address ", (public.url, colour), f": {public.text}"))
    bad = sum(bool(status.problems) for status in statuses)
    out.print(f"{bad} of {len(statuses)} nodes have problems." if bad else f"All {len(statuses)} nodes are well.")


def _row(status: Status) -> tuple[Text | str, ...]:
    name = Text(status.node, "red" if status.problems else "")
    server = status.server or "not asked"
    answer = status.answer
    if answer is None:
        return (name, server, "not reachable", "", "")
    applied = answer.applied or Applied()
    roles = Text(", ").join(
        [
            *(Text(role, "" if well else "red") for role, well in applied.healthy.items()),
            *(Text(f"{role} (slow)", "red") for role in applied.slow),
        ]
    )
    disk = max(answer.disks, key=lambda one: one.percent)
    return (name, server, status.configuration.value, roles, f"{disk.percent} %")
