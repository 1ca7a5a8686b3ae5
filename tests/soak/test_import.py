"""1,000 filesets imported by `idr import` and OMERO's own command line on running machines, with interruptions.

The server and the jars are stand-ins (tests/omero_stand_in); the command line, the units and PostgreSQL are real.
Each test continues where the previous one ended.
"""

import dataclasses
import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.cloud import tenant
from harness.cloud.service import Service
from harness.cloud.tenant import Tenant
from harness.stacks import ROOT
from tests.soak.official import DATABASE, POSTGRESQL, SERVER, WELL, OfficialRelease, prepared, until
from tests.soak.terminal import Terminal
from tests.waiting import wait_until

pytestmark = pytest.mark.cloud

IMAGES = "/uod/idr/filesets/idr0000-made"
FOLDERS, IN_EACH, FILES, DATASETS = 30, 32, 40, 7
"""Each row starts two processes, and each image is opened: on two cores more rows prove little and take long."""
FILESETS = FOLDERS * IN_EACH + FILES
PER_FILESET = 1
SETTLED = f"{IMAGES}/settled/one.tiff"
"""Imported after all others, with rendering settings."""
MAKE = f"""
import os, pathlib
def make(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"II*\\0" + bytes(100))
    os.utime(path, (1, 1))
home = pathlib.Path("{IMAGES}")
for folder in range({FOLDERS}):
    for file in range({IN_EACH}):
        make(home / f"plate {{folder:02}}" / f"{{file}}.tiff")
for file in range({FILES}):
    make(home / f"{{file:03}}.tiff")
"""
ROWS = [f"{IMAGES}/plate {folder:02}" for folder in range(FOLDERS)] + [f"{IMAGES}/{n:03}.tiff" for n in range(FILES)]
CUT_OFF = ROWS[-5]
"""Its importer is killed between fileset and images: one of the last, because the largest rows are first."""
USER, PASSWORD = "demo", "not a secret"
MAKE_USER = """
insert into experimenter select max(id) + 1, 'demo', 'Demo', 'User' from experimenter;
insert into password
  select id, encode(decode(md5('not a secret ' || id), 'hex'), 'base64') from experimenter where omename = 'demo';
"""
PAUSE = "/opt/omero/server/OMERO.server/pause"
WITH_IMAGES = "select count(distinct fileset) from image"
EMPTY = "select clientpath from filesetentry where fileset not in (select fileset from image)"
ENDED = "the session has ended: run the same command again"
MINUTES = 15


@dataclasses.dataclass(frozen=True)
class Importing:
    """The release, and the commands of a user who imports."""

    release: OfficialRelease
    stack: Tenant
    folder: Path

    @property
    def rows(self) -> Path:
        """Return the list, in YAML."""
        return self.folder / "list.yaml"

    def _line(self, *words: object) -> list[str]:
        """Return a command line of `idr import`, for an operator with the outputs of the stack."""
        where = ["--from", self.folder / "outputs.json", "--identity", self.stack.folder / "deploy_key"]
        return [str(word) for word in (ROOT / "bin" / "idr", "import", *words, *where)]

    def idr(self, *words: object) -> Terminal:
        """Start `idr import` on a terminal."""
        return Terminal(self._line(*words))

    def begin(self) -> Terminal:
        """Start the import as a user who has to log in."""
        command = self.idr(self.rows, "--user", USER)
        command.answer("Password:", PASSWORD)
        return command

    def report(self, *words: object) -> dict[str, Any]:
        """Return the report of an import. The command's exit status is 1 unless all is well."""
        line = self._line(self.rows, "--report", "--json", *words)
        done = subprocess.run(line, capture_output=True, text=True, check=False, timeout=120)
        assert done.stdout, done.stderr
        report: dict[str, Any] = json.loads(done.stdout)
        return report

    def count(self, question: str = WITH_IMAGES) -> int:
        """Return a number from the database."""
        return int(self.release.sql(question))

    def wait(self, condition: Callable[[], bool], seconds: float = MINUTES * 60) -> None:
        """Wait until a condition is true."""
        wait_until(condition, seconds, pause=1, state=lambda: f"{self.count()} filesets have images; {self.report()}")

    def until_more(self, than: int) -> None:
        """Wait until more filesets have images."""
        self.wait(lambda: self.count() > than)


@pytest.fixture(scope="module")
def importing(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Importing]:
    """Start a release whose read-write node has images and accepts imports."""
    assert service.outputs
    stack = tenant.make(tmp_path_factory.mktemp("import"))
    with stack.running():
        storage = {"storage": [{"kind": "path", "mount": "/uod/idr"}]}
        release = dataclasses.replace(prepared(stack), settings=storage)
        release.output_of(SERVER, "sudo python3 -", MAKE.encode())
        status, output = release.apply()
        assert status == 0, output
        release.sql(MAKE_USER)
        folder = tmp_path_factory.mktemp("list")
        (folder / "outputs.json").write_text(json.dumps(stack.service().outputs))
        rows = [{"path": path, "target": f"Dataset:name:{n % DATASETS}"} for n, path in enumerate(ROWS)]
        (folder / "list.yaml").write_text(yaml.safe_dump(rows))
        yield Importing(release, stack, folder)


@pytest.mark.parametrize("name", ["screenA", "experimentA"])
def test_a_bulk_file_of_the_idr_is_read_unchanged_and_its_missing_paths_are_named(
    importing: Importing, name: str
) -> None:
    (file,) = (ROOT / "tests/unit/importer/idr-metadata").glob(f"*/{name}/*-bulk.yml")
    status, output = importing.idr(file, "--check").end(120)
    assert status == 1
    # A terminal breaks lines.
    assert "paths are not there: /uod/idr/filesets/idr0000" in " ".join(output.split()), output


def test_every_path_of_the_list_is_there(importing: Importing) -> None:
    status, output = importing.idr(importing.rows, "--check").end(120)
    assert (status, output.splitlines()[0]) == (0, f"{len(ROWS)} rows: every path is there, complete, and can be read")


def test_a_wrong_password_imports_nothing(importing: Importing) -> None:
    command = importing.idr(importing.rows, "--user", USER)
    for _ in range(3):
        command.answer("Password:", "wrong")
    status, output = command.end(120)
    assert (status, importing.report()["state"]) == (1, "unknown"), output


def test_it_goes_on_by_itself_after_its_unit_was_killed(importing: Importing) -> None:
    command = importing.begin()
    importing.until_more(20)
    importing.release.output_of(SERVER, "sudo systemctl kill -s KILL idr-import")
    before = importing.count()
    importing.until_more(before + 40)
    assert importing.report()["state"] == "running"
    command.close()


def test_after_a_reboot_it_asks_for_the_password_again_and_goes_on(importing: Importing) -> None:
    started = importing.release.output_of(SERVER, "cat /proc/1/stat").split()[21]
    importing.stack.cloud().compute.reboot_server(importing.stack.servers()[f"idr-local-{SERVER}"], "HARD")

    def is_back() -> bool:
        done = importing.release.on(SERVER, "cat /proc/1/stat")
        return done.returncode == 0 and done.stdout.split()[21].decode() != started

    importing.wait(is_back)
    until(importing.release, WELL, 300)
    importing.wait(lambda: importing.report()["state"] == "halted", 300)
    assert importing.report()["why"] == ENDED
    before = importing.count()
    command = importing.begin()
    importing.until_more(before + 40)
    command.close()


def test_it_halts_without_its_database_and_goes_on_in_the_same_session(importing: Importing) -> None:
    importing.release.output_of(DATABASE, f"sudo systemctl stop {POSTGRESQL}")
    importing.wait(lambda: importing.report()["state"] == "halted", 300)
    assert "the database does not answer" in importing.report()["why"]
    importing.release.output_of(DATABASE, f"sudo systemctl start {POSTGRESQL}")
    until(importing.release, WELL)
    before = importing.count()
    # Nobody logs in.
    command = importing.idr(importing.rows)
    importing.until_more(before + 40)
    command.close()


def test_when_omero_restarts_it_halts_and_somebody_has_to_log_in(importing: Importing) -> None:
    importing.release.output_of(SERVER, "sudo systemctl restart omero-server")
    importing.wait(lambda: importing.report()["state"] == "halted", 300)
    assert importing.report()["why"] == ENDED
    status, output = importing.idr(importing.rows).end(120)
    assert status == 1
    assert "nobody is logged in to OMERO for this import: give --user" in " ".join(output.split())
    before = importing.count()
    command = importing.begin()
    importing.until_more(before + 40)
    command.close()


def test_it_is_stopped_and_goes_on(importing: Importing) -> None:
    status, output = importing.idr(importing.rows, "--stop").end(120)
    assert status == 0, output
    importing.wait(
        lambda: importing.release.output_of(SERVER, "systemctl show -P ActiveState idr-import") == "inactive\n", 120
    )
    assert importing.report()["state"] == "stopped"
    assert importing.count() < FILESETS
    importing.release.output_of(SERVER, f"sudo tee {PAUSE} > /dev/null", CUT_OFF.encode())
    command = importing.idr(importing.rows)
    importing.wait(lambda: CUT_OFF.lstrip("/") in importing.release.sql(EMPTY).splitlines())
    command.close()


def test_an_importer_that_was_killed_between_fileset_and_images_is_repeated(importing: Importing) -> None:
    # The path is the last word of its command line.
    importing.release.output_of(SERVER, f"sudo pkill -KILL -f 'stand_in.importer.* {CUT_OFF}$'")
    importing.release.output_of(SERVER, f"sudo rm {PAUSE}")
    importing.wait(lambda: importing.report()["state"] == "finished")
    about = importing.report()
    (failed,) = (row for row in about["each"] if row["state"] == "failed")
    assert (failed["path"], about["done"]) == (CUT_OFF, len(ROWS) - 1)
    assert failed["error"] == "it was ended before it said anything"
    assert importing.release.sql(EMPTY) == CUT_OFF.lstrip("/")
    status, output = importing.begin().end(300)
    assert status == 0, output


def test_everything_is_there_once(importing: Importing, record_property: Callable[[str, object], None]) -> None:
    about = importing.report()
    assert (about["state"], about["done"], about["failed"]) == ("finished", len(ROWS), 0)
    assert about["images"] == FILESETS * PER_FILESET
    # One step for each row opened its images.
    assert sorted(step["of"] for step in about["following"]) == sorted(ROWS)
    assert {(step["kind"], step["state"]) for step in about["following"]} == {("opened", "done")}
    numbers = sorted(number for row in about["each"] for number in row["filesets"])
    assert numbers == json.loads(importing.release.sql("select json_agg(id order by id) from fileset"))
    record_property("filesets that OMERO numbered, of 1,000 that are left", numbers[-1])
    _is_complete(importing)


def test_a_second_run_imports_nothing_also_without_the_ledger(importing: Importing) -> None:
    last = "select max(id) from fileset"
    before = importing.count(last)
    for words in ((), ("--name", "again")):
        command = importing.idr(importing.rows, "--user", USER, *words)
        command.answer("Password:", PASSWORD)
        status, output = command.end(MINUTES * 60)
        assert status == 0, output
        about = importing.report(*words)
        assert (about["done"], about["images"]) == (len(ROWS), FILESETS * PER_FILESET)
    # Without the ledger nothing is new, so no image is opened again.
    assert about["following"] == []
    assert importing.count(last) == before
    _is_complete(importing)


def test_images_get_the_rendering_settings_beside_their_list(importing: Importing) -> None:
    copy = f"sudo install -D -m 644 '{ROWS[-1]}' {SETTLED} && sudo touch -d @1 {SETTLED}"
    importing.release.output_of(SERVER, copy)
    file = importing.folder / "settled.yaml"
    file.write_text(yaml.safe_dump([{"path": SETTLED, "target": "Dataset:name:settled"}]))
    settings = {"channels": {1: {"label": "DNA", "color": "00FF00", "start": 20, "end": 80}}}
    (importing.folder / "settled-renderdef.yml").write_text(yaml.safe_dump(settings))
    command = importing.idr(file, "--user", USER)
    command.answer("Password:", PASSWORD)
    status, output = command.end(300)
    assert status == 0, output
    kept = "select name, green, inputend from image i join channelbinding b on b.image = i.id where place = 0"
    assert importing.release.sql(kept) == f"{Path(SETTLED).name}|255|80"
    assert importing.release.sql("select name from logicalchannel") == "DNA"


def _is_complete(importing: Importing) -> None:
    """Check that each fileset exists once, with its images, in one dataset, and that its link leads to its file."""
    release = importing.release
    assert importing.count("select count(*) from fileset") == FILESETS
    assert importing.count("select count(distinct clientpath) from filesetentry") == FILESETS
    assert release.sql("select distinct count(*) from image group by fileset") == str(PER_FILESET)
    assert release.sql(EMPTY) == ""
    assert importing.count("select count(*) from datasetimagelink") == FILESETS * PER_FILESET
    assert release.sql("select name from dataset order by name").split() == [str(n) for n in range(DATASETS)]
    links = "find /data/OMERO/ManagedRepository -type l"
    led = release.output_of(SERVER, f"sudo {links} -exec readlink -e {{}} +").splitlines()
    wanted = release.sql("select '/' || clientpath from filesetentry").splitlines()
    assert sorted(led) == sorted(wanted)
    assert release.output_of(SERVER, f"sudo {links} -printf '%u\\n' | sort -u") == "omero-import\n"
