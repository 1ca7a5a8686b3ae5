"""Read lists of images as OMERO's own command line does, and let it take every command line that follows from them."""

import subprocess
from pathlib import Path

import pytest
import yaml

from harness.clients import environment
from harness.stacks import ROOT
from idr.importer import command_line
from idr.importer.rows import Row
from idr.imports import bulk
from tests.cloud.test_command_lines import refused

pytestmark = pytest.mark.cloud

LISTS = sorted((ROOT / "tests" / "unit" / "importer" / "idr-metadata").glob("*/*/*-bulk.yml"))
FOLDER = Path("/data/imports/a/beside")
OTHER = Row(
    "/a b.tiff", "Screen:7", {"skip": ["all", "minmax"], "parallel_upload": "4", "annotation_ns": "-x", "depth": "9"}
)


def dry_run(file: Path, folder: Path) -> list[list[str]]:
    """The words that OMERO's own dry run prints for each row. `-f` asks for no server, and any jar will do."""
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
        command = command_line.importing(row)
        # What a node decides itself.
        assert {word for word in words if not word.startswith("--logprefix")} <= set(command), words


def test_omero_takes_every_command_line(tmp_path: Path) -> None:
    rows = [OTHER, *(row for file in LISTS for row in bulk.read(file))]
    lines = [
        *(command_line.importing(row) for row in rows),
        command_line.logging_in("10.0.0.1", "demo", "public"),
        command_line.logging_in("10.0.0.1", "demo", None),
        command_line.entering_as_guest("10.0.0.1"),
        command_line.asking_for_the_session(),
        command_line.deleting(7),
        *command_line.rendering(["Plate:1", "Image:2"], FOLDER / "renderdef.json"),
        *command_line.opening(["Plate:1", "Image:2"]),
        *command_line.unannotating("Screen:1", FOLDER / "bulkmap-config.json", ["x/gene"]),
        *command_line.annotating("Project:1", FOLDER / "annotation.csv.gz", FOLDER / "bulkmap-config.json"),
        *command_line.annotating("Dataset:1", FOLDER / "annotation.csv.gz", None),
        command_line.logging_out(),
    ]
    assert {line[0] for line in lines} == {"omero"}
    assert refused([line[1:] for line in lines], tmp_path) == ""
    wrong = ["metadata", "populate", "--context=maps", "Screen:1"]
    for words in (["import", "--skip=some", "/a"], wrong, ["render", "test", "Image:1", "Image:2"]):
        assert refused([words], tmp_path) == f"refused: {' '.join(words)}\n"
