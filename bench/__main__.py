"""`make bench`: measure planning, rendering, and a preview in comparison with one of an empty program."""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import typer

from bench.attack import attack
from bench.figures import AsJson, show
from bench.frontend.command import frontend
from bench.infra.command import infra
from bench.prewarm.command import prewarm
from bench.roles.command import roles
from cloudinit import render, user_data
from harness import stacks
from harness.project import Project, copy_program
from model.planning import plan
from model.reading import Source, parse
from model.secrets import Secrets

NODES = 100
REPEATS = 7
EMPTY = '"""Nothing."""\n'

app = typer.Typer(invoke_without_command=True, add_completion=False, pretty_exceptions_enable=False)
app.command()(attack)
app.command()(frontend)
app.command()(infra)
app.command()(prewarm)
app.command()(roles)


def seconds(work: Callable[[], object]) -> float:
    """Return the median of several runs, after one that is not counted."""
    work()
    taken = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def plan_and_render() -> None:
    """Read settings, plan, and render every node's bootstrap and configuration, for a release of `NODES` nodes."""
    values = stacks.values("ebi")
    nodes = values["releases"]["prod130"]["nodes"]
    nodes["omeroreadonly"]["count"] = NODES - len(nodes)
    stack_plan = plan(parse(values, Source("ebi", "Pulumi.ebi.yaml")), "ebi")
    secrets = Secrets("ebi", "a stack secret for the benchmark only")
    volumes = {"db": "0" * 20, "data": "1" * 20, "nginxcache": "2" * 20}
    for node in stack_plan.nodes:
        user_data.bootstrap(node, stack_plan, secrets)
        render.bundle(node, stack_plan, secrets, volumes)


@app.callback()
def main(
    context: typer.Context,
    as_json: AsJson = False,
) -> None:
    """Measure planning, rendering and previews. Each command below measures something else, and takes longer."""
    if context.invoked_subcommand:
        return
    figures = {f"plan and render {NODES} nodes (s)": seconds(plan_and_render)}
    with tempfile.TemporaryDirectory() as folder:
        full = Project(copy_program(Path(folder)))
        full.pulumi("stack", "init", "ebi")
        figures["preview of ebi, 10 nodes, all to create (s)"] = seconds(lambda: full.preview("ebi"))
        (full.folder / "__main__.py").write_text(EMPTY)
        figures["preview of an empty program (s)"] = seconds(lambda: full.preview("ebi"))
    preview, empty = list(figures.values())[1:]
    figures["ratio of the two previews"] = preview / empty
    show(figures, as_json=as_json)


if __name__ == "__main__":
    app()
