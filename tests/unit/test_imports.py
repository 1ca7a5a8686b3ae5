"""Allowed imports: packages only from those below them, modules in no circle, and the program no command line."""

import ast
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from harness.stacks import ROOT

FLOORS = (
    ("model",),
    ("cloudinit",),
    ("idr",),
    ("components",),
    ("__main__",),
    ("dev",),
    ("harness",),
    ("bench", "tests"),
    ("tests.unit.bench",),
)
"""Packages from the lowest up. Each imports from itself and from the floors below it."""
HEIGHTS = {name: height for height, floor in enumerate(FLOORS) for name in floor}
PACKAGES = tuple(name for name in HEIGHTS if "." not in name)
PROGRAM = "__main__"
COMMAND_LINE = {"typer", "rich", "idr.cli"}


def module(file: Path) -> str:
    """Return the name of a module, from its path in the repository."""
    parts = file.with_suffix("").parts
    return ".".join(parts[:-1] if len(parts) > 1 and parts[-1] == "__init__" else parts)


def modules(root: Path = ROOT) -> dict[str, Path]:
    """Return every module of the packages by its name, without modules that only run on machines."""
    files = [root / "__main__.py", *(file for name in PACKAGES for file in (root / name).rglob("*.py"))]
    inside = (file for file in files if file.is_file() and "files" not in file.relative_to(root).parts)
    return {module(file.relative_to(root)): file for file in inside}


def names(node: ast.AST, within: str) -> Iterator[str]:
    """Return the names in an import statement: modules, and what may be one."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        parents = within.split(".")[: -node.level] if node.level else []
        base = ".".join([*parents, *([node.module] if node.module else [])])
        yield base
        yield from (f"{base}.{alias.name}" for alias in node.names)


def imports(known: Mapping[str, Path]) -> dict[str, set[str]]:
    """Return the imports of each module, anywhere in its text: our modules, and other packages."""
    by_module: dict[str, set[str]] = {}
    for name, file in known.items():
        within = f"{name}.__init__" if file.name == "__init__.py" else name
        nodes = list(ast.walk(ast.parse(file.read_text())))
        wanted = {one for node in nodes for one in names(node, within)}
        ours = {one for one in wanted if one in known}
        others = {one.partition(".")[0] for one in wanted} - set(PACKAGES)
        by_module[name] = (ours | others) - {name}
    return by_module


def package(name: str) -> str:
    """Return the package of a module: the longest one in `FLOORS` that has it; empty for other modules."""
    return max((one for one in HEIGHTS if f"{name}.".startswith(f"{one}.")), key=len, default="")


def is_forbidden(importer: str, imported: str) -> bool:
    """Return whether a module of ours is on the floor of another package, or above it."""
    by, of = package(importer), package(imported)
    return of not in ("", by) and HEIGHTS[of] >= HEIGHTS[by]


def arrows_back(by_module: Mapping[str, set[str]]) -> list[str]:
    """Return each forbidden import, as `importer -> imported`."""
    return sorted(f"{one} -> {other}" for one in by_module for other in by_module[one] if is_forbidden(one, other))


def circle(by_module: Mapping[str, set[str]]) -> list[str]:
    """Return the modules of a circle, the first again at the end; empty if there is none."""
    try:
        TopologicalSorter(by_module).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def reached(by_module: Mapping[str, set[str]], name: str) -> set[str]:
    """Return everything that importing a module imports."""
    seen: set[str] = set()
    waiting = [name]
    while waiting:
        one = waiting.pop()
        if one not in seen:
            seen.add(one)
            waiting += by_module.get(one, ())
    return seen


@pytest.fixture(scope="module")
def ours() -> dict[str, set[str]]:
    """Return the imports of the modules of this repository."""
    return imports(modules())


def test_no_package_imports_from_one_above_it(ours: dict[str, set[str]]) -> None:
    assert {name.partition(".")[0] for name in ours} == set(PACKAGES)
    assert arrows_back(ours) == []


def test_no_modules_import_each_other_in_a_circle(ours: dict[str, set[str]]) -> None:
    assert circle(ours) == []


def test_the_program_imports_no_command_line(ours: dict[str, set[str]]) -> None:
    there = reached(ours, PROGRAM)
    assert {"components.preconditions", "idr.cloud", "model.plan", "pulumi"} <= there
    assert not COMMAND_LINE & there


def test_the_model_imports_neither_engine_nor_cloud(ours: dict[str, set[str]]) -> None:
    model = set().union(*(ours[name] for name in ours if name.partition(".")[0] == "model"))
    assert "pydantic" in model
    assert not {"pulumi", "pulumi_openstack", "openstack", "jinja2"} & model


@pytest.fixture
def forbidden(tmp_path: Path) -> dict[str, set[str]]:
    """Return the imports of modules that do what is forbidden: in a function, relatively, and through others."""
    files = {
        "__main__.py": "from components import stack\n",
        "model/__init__.py": "",
        "model/plan.py": "def plan():\n    from cloudinit import render\n",
        "cloudinit/__init__.py": "",
        "cloudinit/render.py": "import model.plan\n",
        "idr/__init__.py": "",
        "idr/cli.py": "import typer\n",
        "idr/cloud.py": "from .cli import PROJECT\n",
        "components/__init__.py": "",
        "components/stack.py": "from idr.cloud import connect\n",
        "harness/__init__.py": "",
        "harness/cloud.py": "from tests import steps\n",
        "bench/__init__.py": "",
        "bench/rate.py": "from tests.steps import Step\nfrom harness import cloud\n",
        "tests/__init__.py": "",
        "tests/steps.py": "import harness.cloud\n",
        "tests/unit/__init__.py": "",
        "tests/unit/test_rate.py": "from bench.rate import rate\n",
        "tests/unit/bench/__init__.py": "",
        "tests/unit/bench/test_rate.py": "from bench.rate import rate\nfrom tests import steps\n",
    }
    for name, text in files.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return imports(modules(tmp_path))


def test_what_is_forbidden_is_seen(forbidden: dict[str, set[str]]) -> None:
    assert arrows_back(forbidden) == [
        "bench.rate -> tests.steps",
        "harness.cloud -> tests",
        "harness.cloud -> tests.steps",
        "model.plan -> cloudinit",
        "model.plan -> cloudinit.render",
        "tests.unit.test_rate -> bench.rate",
    ]
    assert set(circle(forbidden)) in ({"model.plan", "cloudinit.render"}, {"tests.steps", "harness.cloud"})
    assert reached(forbidden, PROGRAM) >= COMMAND_LINE - {"rich"}
