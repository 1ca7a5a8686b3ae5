"""Read lists of images as OMERO's own command line does, and give it every command line that follows from them."""

import json
import subprocess
from pathlib import Path

import pytest
import yaml

from harness.clients import environment
from harness.stacks import ROOT
from idr.importer import command_line
from idr.importer.beside import FILES, Beside
from idr.importer.rows import Row
from idr.imports import beside, bulk
from tests.cloud.test_command_lines import refused

pytestmark = pytest.mark.cloud

LISTS = sorted((ROOT / "tests" / "unit" / "importer" / "idr-metadata").glob("*/*/*-bulk.yml"))
FOLDER = Path("/data/imports/a/beside")
OTHER = Row(
    "/a b.tiff", "Screen:7", {"skip": ["all", "minmax"], "parallel_upload": "4", "annotation_ns": "-x", "depth": "9"}
)


def dry_run(file: Path, folder: Path) -> list[list[str]]:
    """Return the words that OMERO's own dry run prints for each row. `-f` needs no server, and accepts any jar."""
    (folder / "none.jar").touch()
    path = yaml.safe_load(file.read_text())["path"]
    around = folder / "around.yml"
    around.write_text(yaml.safe_dump({"include": str(file), "path": str(file.parent / path), "dry_run": "true"}))
    omero = environment.environment() / "bin" / "omero"
    done = subprocess.run(
        [*environment.NOT_ROOT, omero, "import", "-f", "--clientdir", folder, "--bulk", around],
        capture_output=True,
        text=True,
        check=True,
        env={"HOME": str(folder), "PATH": "/usr/bin:/bin"},
        timeout=environment.SECONDS,
    )
    # Each word is in quotation marks, which look like those inside a word.
    return [line[1:-1].split('" "') for line in done.stdout.splitlines() if line]


@pytest.mark.parametrize("file", LISTS, ids=lambda file: file.parent.name)
def test_a_list_says_the_same_to_omero(file: Path, tmp_path: Path) -> None:
    rows = bulk.read(file)
    printed = dry_run(file, tmp_path)
    assert len(printed) == len(rows)
    for row, words in zip(rows, printed, strict=True):
        command = command_line.import_command(row)
        # What a node decides itself.
        assert {word for word in words if not word.startswith("--logprefix")} <= set(command), words


RENDERDEF = "channels:\n  1: {label: DNA, min: 50, max: 300, color: '00FF00'}\n  2: {active: false}\n"
KEYS = """\
defaults: {include: no, type: string}
columns:
  - {name: Gene, clientname: Gene URL, clientvalue: 'https://example.org/{{ value }}', include: yes}
  - group:
      namespace: openmicroscopy.org/mapr/gene
      columns: [{name: Gene, include: yes}]
"""
READ = """
import json, sys, unittest.mock
from omero.util import pydict_text_io
from omero.util.metadata_utils import KeyValueGroupList
from omero_cli_render import RenderControl
from omero_metadata.cli import MetadataControl
folder = sys.argv[1]
control = RenderControl(ctx=unittest.mock.Mock())
names, active, *_ = control._read_channels(control._load_rendering_settings(folder + "/renderdef.json"))
keys = pydict_text_io.load(folder + "/bulkmap-config.json")
groups = KeyValueGroupList(["Plate", "Gene"], keys["defaults"], keys["columns"]).get_transformers()
table = MetadataControl.detect_headers(folder + "/annotation.csv.gz")
print(json.dumps([names, active, sorted([one.name, one.transform(["p", "abc1"])] for one in groups), table]))
"""


def test_what_lies_beside_a_list_says_the_same_to_omero(tmp_path: Path) -> None:
    for name, text in (
        ("renderdef.yml", RENDERDEF),
        ("bulkmap-config.yml", KEYS),
        ("annotation.csv", "Plate,Gene\np,x\n"),
    ):
        (tmp_path / f"idr0000-screenA-{name}").write_text(text)
    content_of = Beside.of(beside.read(tmp_path / "idr0000-screenA-bulk.yml"))
    for kind, content in content_of.files.items():
        (tmp_path / FILES[kind]).write_bytes(content)
    python = environment.environment() / "bin" / "python"
    done = subprocess.run(
        [*environment.NOT_ROOT, python, "-c", READ, tmp_path],
        capture_output=True,
        text=True,
        check=True,
        env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
        timeout=environment.SECONDS,
    )
    names, active, keys, table = json.loads(done.stdout)
    assert (names, active) == ({"1": "DNA"}, [1, -2])
    assert keys == [
        ["", [["Gene URL", ["https://example.org/abc1"]]]],
        ["openmicroscopy.org/mapr/gene", [["Gene", ["abc1"]]]],
    ]
    assert table == ["plate", "s"]


def test_omero_takes_every_command_line(tmp_path: Path) -> None:
    rows = [OTHER, *(row for file in LISTS for row in bulk.read(file))]
    lines = [
        *(command_line.import_command(row) for row in rows),
        command_line.login_command("10.0.0.1", "demo", "public"),
        command_line.login_command("10.0.0.1", "demo", None),
        command_line.guest_login_command("10.0.0.1"),
        command_line.session_command(),
        command_line.delete_command(7),
        command_line.rendering_command(["Plate:1", "Image:2"], FOLDER / "renderdef.json"),
        command_line.load_command(tmp_path / "lines"),
        *(["omero", *line.split()] for line in command_line.open_lines(["Plate:1", "Image:2"]).splitlines()),
        *command_line.delete_annotations_commands("Screen:1", FOLDER / "bulkmap-config.json", ["x/gene"]),
        *command_line.annotate_commands("Project:1", FOLDER / "annotation.csv.gz", FOLDER / "bulkmap-config.json"),
        *command_line.annotate_commands("Dataset:1", FOLDER / "annotation.csv.gz", None),
        command_line.logout_command(),
    ]
    assert {line[0] for line in lines} == {"omero"}
    assert refused([list(line[1:]) for line in lines], tmp_path) == ""
    wrong = ["metadata", "populate", "--context=maps", "Screen:1"]
    for words in (["import", "--skip=some", "/a"], wrong, ["render", "test", "Image:1", "Image:2"]):
        assert refused([words], tmp_path) == f"refused: {' '.join(words)}\n"
