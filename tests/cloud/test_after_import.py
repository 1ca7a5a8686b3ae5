"""Run OMERO's own commands that follow an import, against the stand-in for OMERO.server."""

import gzip
import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.clients import environment
from harness.ports import free_port
from harness.stacks import ROOT
from idr.importer import command_line
from idr.importer.beside import shared
from idr.importer.steps import ANNOTATE, RENDER
from tests import postgres

pytestmark = pytest.mark.cloud

STAND_IN = ROOT / "tests" / "omero_stand_in"
SCHEMA = STAND_IN / "server/sql/psql/OMERO5.4__0/schema.sql"
FILL = """
insert into experimenter values (0, 'root', 'root', 'root'), (7, 'demo', 'Demo', 'User');
insert into password values (7, encode(decode(md5('not a secret 7'), 'hex'), 'base64'));
insert into fileset values (1, 7);
insert into image values (1001, 'a', 1), (1002, 'b', 1);
insert into dataset values (5, 'x');
insert into datasetimagelink (parent, child) values (5, 1001), (5, 1002);
"""
IMAGES = 1001, 1002
SETTINGS = {
    "version": 2,
    "channels": {
        "1": {"label": "DNA", "color": "00FF00", "min": 10, "max": 90, "start": 20, "end": 80},
        "2": {"active": False},
    },
    "z": 1,
    "t": 1,
}
KEPT = "select image, place, active, red, green, blue, inputstart, inputend from channelbinding order by image, place"


@dataclass(frozen=True)
class Server:
    """The running stand-in, with two imported images."""

    database: postgres.Server
    home: Path
    port: int

    def omero(self, words: list[str], log: Path) -> int:
        """Run an OMERO command and keep its output; return its exit status."""
        variables = {"HOME": str(self.home), "PATH": f"{environment.environment() / 'bin'}:/usr/bin:/bin"}
        with log.open("w") as out:
            return subprocess.run(
                [*environment.NOT_ROOT, *words],
                env=variables | {"OMERO_SESSIONDIR": str(self.home / "sessions")},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                check=False,
                timeout=environment.SECONDS,
            ).returncode

    def render(self, settings: object, log: Path, *objects: str) -> bool:
        """Apply settings to objects; return whether that failed."""
        file = self.home / "renderdef.json"
        file.write_text(json.dumps(settings))
        status = self.omero(command_line.rendering_command(objects, file), log)
        return command_line.has_failed(RENDER, status, log)

    def rows(self, question: str) -> list[str]:
        """Return the answer of the database."""
        return self.database.query(question).split()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Start the stand-in, and log a user in."""
    home = tmp_path_factory.mktemp("omero")
    (home / "var").mkdir()
    certify = "openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=127.0.0.1 -keyout key.pem -out certificate.pem"
    subprocess.run(certify.split(), cwd=home, capture_output=True, check=True)
    with postgres.server() as database:
        database.query(SCHEMA.read_text() + FILL)
        password = database.password_file.read_text().strip().rpartition(":")[2]
        (home / "var" / "password").write_text(password)
        port = free_port()
        python = environment.environment(ROOT / "dev/demo/requirements.lock") / "bin/python"
        paths = f"{ROOT / 'dev/demo'}:{STAND_IN / 'server/lib/server'}"
        process = subprocess.Popen(
            [python, STAND_IN / "local.py", home, str(port), str(database.port), postgres.DATABASE, postgres.ROLE],
            env=os.environ | {"OMERODIR": str(home), "PYTHONPATH": paths, "PGPORT": str(database.port)},
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert process.stdout
            assert process.stdout.readline() == "ready\n"
            running = Server(database, home, port)
            login = ["omero", "login", "-s", "127.0.0.1", "-p", str(port), "-u", "demo", "-w", "not a secret"]
            assert running.omero(login, home / "log") == 0, (home / "log").read_text()
            yield running
        finally:
            process.terminate()
            process.wait()


def test_settings_and_names_of_channels_are_kept(server: Server, tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert not server.render(SETTINGS, log, *(f"Image:{number}" for number in IMAGES)), log.read_text()
    kept = [row.split("|") for row in server.rows(KEPT)]
    assert [row[:3] for row in kept] == [[str(image), str(at), "tf"[at]] for image in IMAGES for at in (0, 1)]
    assert [row[3:] for row in kept[::2]] == [["0", "255", "0", "20", "80"]] * 2
    assert server.rows("select name from logicalchannel") == ["DNA"] * 2
    assert server.rows("select distinct globalmin, globalmax from statsinfo") == ["10|90"]


def test_what_they_do_not_say_stays(server: Server, tmp_path: Path) -> None:
    before, log = server.rows(KEPT), tmp_path / "log"
    assert not server.render({"channels": {"2": {"active": True}}}, log, f"Image:{IMAGES[1]}"), log.read_text()
    assert server.rows(KEPT) == [*before[:3], before[3].replace("|f|", "|t|")]


@pytest.mark.parametrize(
    ("settings", "image", "why"),
    [
        ({"colors": {}}, IMAGES[0], "No channels found in"),
        ({"channels": {"1": {"start": 1, "max": 2}}}, IMAGES[0], "Cannot determine version"),
        ({"channels": {"1": {}}, "z": 9}, IMAGES[0], "Inconsistent default Z plane"),
        (SETTINGS, 4321, "No such Image: 4321"),
    ],
)
def test_what_cannot_be_is_a_failure_with_its_reason(
    server: Server, tmp_path: Path, settings: dict[str, object], image: int, why: str
) -> None:
    before = server.rows(KEPT)
    log = tmp_path / "log"
    assert server.render(settings, log, f"Image:{image}")
    assert why in command_line.cause(log)
    assert server.rows(KEPT) == before


KEYS = {
    "defaults": {"include": False},
    "columns": [
        {"name": "Gene", "include": True},
        {"group": {"namespace": "x/gene", "columns": [{"name": "Gene", "clientname": "Symbol", "include": True}]}},
    ],
}
BULK = "openmicroscopy.org/omero/bulk_annotations"
VALUES = """
select l.parent, a.ns, v.name, v.value from imageannotationlink l join annotation a on a.id = l.child
join annotation_mapvalue v on v.annotation_id = a.id order by a.ns, l.parent
"""


@pytest.fixture
def annotation(tmp_path: Path) -> tuple[Path, Path]:
    """Write a table with a row for a missing image, and the columns that become keys and values."""
    table, keys = tmp_path / "annotation.csv.gz", tmp_path / "bulkmap-config.json"
    table.write_bytes(gzip.compress(b"Image Name,Gene\na,abc1\nb,abc2\nc,abc3\n"))
    keys.write_text(json.dumps(KEYS))
    return table, keys


@pytest.mark.parametrize("again", [False, True], ids=["first", "again"])
def test_annotations_are_there_once(server: Server, tmp_path: Path, annotation: tuple[Path, Path], again: bool) -> None:
    table, keys = annotation
    log = tmp_path / "log"
    before = command_line.delete_annotations_commands("Dataset:5", keys, shared(KEYS)) if again else []
    for line in [*before, *command_line.annotate_commands("Dataset:5", table, keys)]:
        status = server.omero(line, log)
        assert not command_line.has_failed(ANNOTATE, status, log), log.read_text()
    assert "1 row of the annotations is of nothing that is there" in command_line.unmatched_rows(log)
    assert server.rows("select parent, ns from datasetannotationlink l join annotation a on a.id = l.child") == [
        f"5|{BULK}"
    ]
    assert server.rows(VALUES) == [
        f"{image}|{where}|{name}|{gene}"
        for where, name in ((BULK, "Gene"), ("x/gene", "Symbol"))
        for image, gene in zip(IMAGES, ("abc1", "abc2"), strict=True)
    ]
