"""The benchmark of all roles has one node of each, and prints a readable table."""

import io

from rich.console import Console

from bench.roles.command import table
from bench.roles.measure import RELEASE, shape
from bench.roles.timeline import PHASES
from harness import stacks
from model.planning import plan
from model.reading import Source, parse
from model.roles import Role


def test_every_role_has_a_node_of_its_own() -> None:
    values = stacks.values("local") | {"releases": shape()}
    stack_plan = plan(parse(values, Source("local", "Pulumi.local.yaml")), "local")
    assert sorted(node.roles for node in stack_plan.nodes) == sorted((role,) for role in Role)
    assert stack_plan.settings.live == RELEASE


def test_the_table_names_every_role_and_figure_in_80_columns_the_slowest_last() -> None:
    figures = {role.value: dict.fromkeys(PHASES, 100.0 - number) for number, role in enumerate(Role)}
    printed = io.StringIO()
    Console(file=printed, width=80).print(table(figures))
    assert "…" not in printed.getvalue()
    lines = printed.getvalue().splitlines()[2:]
    assert [line.split()[0] for line in lines] == [role.value for role in reversed(Role)]
    assert lines[-1].split()[1:] == ["100.0"] * len(PHASES) + ["800.0"]
