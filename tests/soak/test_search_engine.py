"""The search engine of examples/search-engine: its own steps and units, real OpenSearch and a stand-in application."""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests import search_engine
from tests.search_engine import CONFIG, Machine

pytestmark = [pytest.mark.needs("mvn", "java", "haproxy")]
DOCUMENTS = ("CDK1", "CDK2", "BRCA1")


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the two archives; OpenSearch's jars are Maven Central's."""
    folder = tmp_path_factory.mktemp("archives")
    command = ["mvn", "-q", "-B", "-f", str(search_engine.project(folder)), "dependency:copy-dependencies"]
    subprocess.run([*command, f"-DoutputDirectory={folder / 'jars'}"], check=True, capture_output=True)
    search_engine.pack_engine(folder / "jars", folder / "engine.tar.gz")
    search_engine.pack_application(folder / "application.tar.gz")
    return folder


@pytest.fixture
def machine(archives: Path) -> Iterator[Machine]:
    """Make a machine with the role's files, on which nothing has run."""
    # Not in pytest's folder, which other accounts cannot enter: the engine does not run as root.
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Machine(Path(folder), archives)


@contextmanager
def serving(machine: Machine) -> Iterator[None]:
    """Run all three units until the block ends."""
    for path in ("srv/search/data", "srv/search/backup", "var/log/search-engine"):
        subprocess.run(["chown", "-R", "nobody", str(machine.folder / path)], check=True)
    with ExitStack() as units:
        units.enter_context(
            machine.running("search-engine", "setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups")
        )
        units.enter_context(machine.running("search-application"))
        units.enter_context(machine.running("search-tls"))
        machine.wait_until_healthy()
        yield


def prepared(machine: Machine) -> None:
    (machine.folder / "var/lib/search-app").mkdir(parents=True, exist_ok=True)
    for name in ("prepare", "activate"):
        done = machine.step(name)
        assert done.returncode == 0, done.stdout + done.stderr


def names_with(machine: Machine, value: str) -> list[str]:
    """Return the values that a visitor's search finds, through TLS and the application."""
    url = f"https://127.0.0.1:{machine.ports['5578']}/searchengine/api/v1/resources/image/searchvalues/?value={value}"
    done = subprocess.run(["curl", "-sSk", "--fail-with-body", url], capture_output=True, text=True, check=True)
    return [hit["value"] for hit in json.loads(done.stdout)["data"]]


def index(machine: Machine) -> None:
    lines = "".join(f'{{"index": {{"_id": "{value}"}}}}\n{{"value": "{value}"}}\n' for value in DOCUMENTS)
    headers = {"header": "Content-Type: application/x-ndjson", "data_binary": lines}
    answer = machine.engine("/key_values/_bulk?refresh=true", **headers)
    assert not json.loads(answer)["errors"]


def test_what_was_indexed_is_found_after_a_restart_and_on_a_copy_of_the_volume(
    machine: Machine, tmp_path_factory: pytest.TempPathFactory
) -> None:
    prepared(machine)
    with serving(machine):
        index(machine)
        assert names_with(machine, "cdk1") == ["CDK1"]
        # Like a snapshot of the volume: while the engine writes.
        copy = tmp_path_factory.mktemp("copy") / "search"
        shutil.copytree(machine.folder / "srv/search", copy)
    with serving(machine):
        assert names_with(machine, "brca1") == ["BRCA1"]
    shutil.rmtree(machine.folder / "srv/search")
    shutil.copytree(copy, machine.folder / "srv/search")
    with serving(machine):
        assert json.loads(machine.engine("/key_values/_count"))["count"] == len(DOCUMENTS)
        assert names_with(machine, "cdk2") == ["CDK2"]


def test_an_archive_with_another_sum_is_not_unpacked_and_the_one_in_use_stays(machine: Machine) -> None:
    prepared(machine)
    before = (machine.folder / "opt/searchengine/engine").readlink()
    machine.name_archives(engine="0" * 64)
    done = machine.step("prepare")
    assert done.returncode != 0
    assert "engine: file://" in done.stderr
    assert f"says {'0' * 64}; not unpacked" in done.stderr
    assert (machine.folder / "opt/searchengine/engine").readlink() == before
    assert (before / "bin/opensearch").is_file()


def test_another_archive_is_unpacked_beside_and_the_way_back_is_a_link(machine: Machine, archives: Path) -> None:
    prepared(machine)
    link = machine.folder / "opt/searchengine/application"
    before = link.readlink()
    machine.asked_of_systemd()
    machine.archives = machine.folder / "newer"
    shutil.copytree(archives, machine.archives, ignore=shutil.ignore_patterns("jars"))
    with (machine.archives / "application.tar.gz").open("ab") as file:
        file.write(b"\0" * 512)
    machine.name_archives()
    assert machine.step("prepare").returncode == 0
    assert link.readlink() == before
    assert machine.step("activate").returncode == 0
    assert (link.readlink() != before, before.is_dir()) == (True, True)
    restarted = [line for line in machine.asked_of_systemd() if line.startswith("restart")]
    assert "restart search-application" in restarted
    machine.archives = archives
    machine.name_archives()
    for name in ("prepare", "activate"):
        assert machine.step(name).returncode == 0
    assert link.readlink() == before


def test_an_application_that_does_not_load_is_found_before_the_one_in_use_is_touched(machine: Machine) -> None:
    prepared(machine)
    config = Path(f"{machine.folder}{CONFIG}")
    config.write_text(config.read_text().replace("https://", "http://"))
    done = machine.step("check")
    assert done.returncode != 0
    assert done.stdout.startswith("the application does not load: ValueError: http://localhost")
