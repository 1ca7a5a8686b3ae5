"""What an attacker could do in the units of every role, as systemd rates it from their files."""

import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

from harness import rendered, stacks
from model.plan import Plan
from model.planning import plan
from model.reading import Source, parse
from tests import image_region, search_engine, site_roles

UNITS = Path("/etc/systemd/system")
DEBIANS = Path("/lib/systemd/system")
MOST_EXPOSED = 4.0
"""On systemd's scale up to 10."""
BUCKET = {"bucket": "idr/zarr", "endpoint": "https://s3.example.org", "mount": "/uod/idr/zarr"}
pytestmark = pytest.mark.needs("systemd-analyze")
DEMO = sorted((stacks.ROOT / "dev").rglob("*.service"))


def with_bucket() -> Plan:
    values = stacks.values("ebi") | {"s3Mounts": [BUCKET]}
    return plan(parse(values, Source("ebi", "Pulumi.ebi.yaml", frozenset({"s3Mounts"}))), "ebi")


@cache
def files() -> dict[Path, str]:
    """Return the unit files of all nodes: of each shipped layout, with a bucket, and with the examples' own roles."""
    plans = [*map(stacks.plan_of, (*stacks.LAYOUTS, *stacks.EVERYTHING)), with_bucket(), site_roles.example_plan()]
    plans += [search_engine.plan_of(), image_region.plan_of()]
    every = (
        rendered.files(node, stack_plan, stacks.secrets_of(stack_plan.stack))
        for stack_plan in plans
        for node in stack_plan.nodes
    )
    unit_files = {Path(path): text for one in every for path, text in one.items() if Path(path).is_relative_to(UNITS)}
    return unit_files | {UNITS / unit.name: unit.read_text() for unit in DEMO}


def units() -> list[str]:
    """Return the units of the program, and the hardened units of Debian."""
    services = {path.name for path in files() if path.suffix == ".service"}
    return sorted(services | {path.parent.stem for path in files() if path.name == "idr-hardening.conf"})


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a file system with the units; the hardening alone replaces Debian's units that are missing here."""
    folder = tmp_path_factory.mktemp("root")
    for path, text in files().items():
        _write(folder / path.relative_to("/"), text)
    for unit in (unit for unit in units() if UNITS / unit not in files()):
        own = DEBIANS / unit
        text = own.read_text() if own.exists() else "[Service]\nExecStart=/bin/true\n"
        _write(folder / DEBIANS.relative_to("/") / unit, text)
    (folder / "usr").mkdir()
    (folder / "usr" / "lib").symlink_to("../lib")
    return folder


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def exposure(root: Path, unit: str) -> float:
    """Return systemd's rating; print the report of a unit that is too exposed."""
    command = ["systemd-analyze", "security", "--offline=yes", "--no-pager", f"--root={root}"]
    done = subprocess.run([*command, unit.replace("@.", "@main.")], capture_output=True, text=True, check=True)
    level = re.search(r"exposure level for \S+: ([0-9.]+) ", done.stdout)
    assert level, done.stdout
    if float(level[1]) > MOST_EXPOSED:
        print(done.stdout)
    return float(level[1])


def test_a_service_that_is_taken_over_can_do_little(root: Path) -> None:
    """One test for all units: their names are known once all nodes are rendered, which each worker would do again."""
    exposures = {unit: exposure(root, unit) for unit in units()}
    assert {unit: of for unit, of in exposures.items() if of > MOST_EXPOSED} == {}


def test_the_units_are_of_every_role_that_runs_something() -> None:
    assert {"idr-heal.service", "idr-prewarm.service", "idr-s3-uod-idr-zarr.service", "about-page.service"} <= {
        *units()
    }
    assert "certbot.service" in units()
    assert {"nginx.service", "postgresql@.service", "redis-server.service", "omero-server.service"} <= {*units()}
