"""`idr transfer` of odd files and names in a tree, with the real rclone."""

import json
import os
import re
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from harness.stacks import ROOT
from idr.__main__ import app
from idr.transfer import measuring

pytestmark = pytest.mark.needs("rclone")

NAMES = (
    b"-dash",
    b"--delete",
    b"#hash",
    b" lead",
    b"trail ",
    b"back\\slash",
    b"q'\"$(x)*[y]{z}",
    "ünï/日本.tiff".encode(),
    b"new\nline",
    b"cr\rhere",
    b"tab\there",
    b"latin\xfc.tiff",
)


def idr(*arguments: object) -> "subprocess.CompletedProcess[str]":
    # typer breaks its messages to the width of the terminal.
    done = CliRunner().invoke(app, ["transfer", "--on-root-disk", *map(str, arguments)], env={"COLUMNS": "1000"})
    return subprocess.CompletedProcess([*map(str, arguments)], done.exit_code, done.stdout, done.stderr)


def there(folder: Path, name: bytes) -> Path:
    return Path(os.fsdecode(os.fsencode(folder) + b"/" + name))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    for name in NAMES:
        file = there(folder, name)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(name * 100)
    return folder


@pytest.fixture
def linked(tmp_path: Path) -> Path:
    """Make a tree of links, like OMERO's repository after imports in place."""
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "a.tiff").write_text("an image")
    folder = tmp_path / "linked"
    folder.mkdir()
    (folder / "log").write_text("of the import")
    (folder / "a.tiff").symlink_to(tmp_path / "raw" / "a.tiff")
    return folder


def test_files_of_any_name_are_copied_and_estimated(source: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    done = idr(source, copy)
    assert done.returncode == 0, done.stderr
    assert all(there(copy, name).read_bytes() == name * 100 for name in NAMES)
    estimate = json.loads(idr(source, tmp_path / "other", "--estimate", "--json").stdout)
    assert estimate["files"] == len(NAMES)
    assert estimate["durations"][0]["terabytes"] == sum(map(len, NAMES)) * 100 / 1e12
    assert re.search(r"10\.4 kB take \d+\.\d seconds", idr(source, tmp_path / "other", "--estimate").stdout)


@pytest.mark.parametrize(("before", "after", "limited"), [("100k", "off", True), ("off", "100k", False)])
def test_the_limit_of_the_hour_holds(tmp_path: Path, before: str, after: str, limited: bool) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "file").write_bytes(bytes(300_000))
    # Midnight changes the day of these hours, which rclone counts.
    hours = sorted(
        (f"{datetime.now() + timedelta(hours=difference):%H:%M},{limit}")  # rclone's hours are local
        for difference, limit in ((-1, before), (1, after))
    )
    report = json.loads(idr(tmp_path / "source", tmp_path / "copy", "--bandwidth", " ".join(hours), "--json").stdout)
    assert report["copied"] == 1
    assert (report["seconds"] > 2) is limited


def test_a_file_that_is_not_well_is_named_whatever_its_name(source: Path, tmp_path: Path) -> None:
    copy, report = tmp_path / "copy", tmp_path / "report"
    there(copy, b"latin\xfc.tiff").mkdir(parents=True)
    done = idr(source, copy, "--report", report)
    assert done.returncode == 1
    assert "missing    latin?.tiff" in done.stdout
    assert report.read_bytes() == b"missing\tlatin\xfc.tiff\n"


def test_links_are_no_complete_copy_until_it_is_set_what_to_do_with_them(linked: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    done = idr(linked, copy)
    assert done.returncode == 1
    assert "Every file" not in done.stdout
    assert "1 links were left out: give --links keep or --links follow" in done.stdout
    done = idr(linked, copy, "--links", "keep")
    assert (done.returncode, (copy / "a.tiff").readlink()) == (0, tmp_path / "raw" / "a.tiff")
    done = idr(linked, tmp_path / "followed", "--links", "follow")
    assert done.returncode == 0
    assert not (tmp_path / "followed" / "a.tiff").is_symlink()
    assert (tmp_path / "followed" / "a.tiff").read_text() == "an image"


def test_a_tree_without_files_is_no_complete_copy(tmp_path: Path) -> None:
    (tmp_path / "source" / "empty").mkdir(parents=True)
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "other").write_text("of something else")
    done = idr(tmp_path / "source", tmp_path / "copy")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"error: {tmp_path / 'source'} has no files: is it mounted?\n"


@pytest.mark.parametrize("inside", ["", "/", "/copy", "/study/../copy"])
def test_a_tree_is_not_copied_into_itself(source: Path, inside: str) -> None:
    done = idr(source, f"{source}{inside}")
    assert done.returncode == 2
    assert "is in" in " ".join(done.stderr.replace("│", "").split()), "it is broken into lines"
    assert not (source / "copy").exists()


def test_a_report_that_cannot_be_written_is_refused_before_anything_is_copied(source: Path, tmp_path: Path) -> None:
    report = tmp_path / "none" / "report"
    done = idr(source, tmp_path / "copy", "--report", report)
    assert (done.returncode, done.stderr) == (1, f"error: {report}: No such file or directory\n")
    assert not (tmp_path / "copy").exists()


@pytest.mark.parametrize("tree", ["source", "copy"])
def test_a_report_in_a_tree_is_refused(source: Path, tmp_path: Path, tree: str) -> None:
    """It would be copied, and differ from its copy, or replace a file."""
    report = (source if tree == "source" else tmp_path / tree) / "report"
    done = idr(source, tmp_path / "copy", "--report", report)
    assert (done.returncode, "is in" in done.stderr) == (2, True)
    assert not report.exists()


def test_a_tree_of_endless_size_is_refused(source: Path, tmp_path: Path) -> None:
    done = idr(source, tmp_path / "copy", "--estimate", "--terabytes", "inf")
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)


def test_why_files_could_not_be_copied_is_reported(source: Path, tmp_path: Path) -> None:
    # Like a full disk, rclone meets this limit while it writes: the size of files of a process.
    (source / "large").write_bytes(bytes(3_000_000))
    command = f"ulimit -f 1000; exec '{sys.executable}' -m idr transfer --on-root-disk '{source}' '{tmp_path / 'copy'}'"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "file too large" in done.stdout


def test_what_a_killed_estimate_left_is_measured_all_the_same(source: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    assert idr(source, copy / measuring.FOLDER).returncode == 0
    cost = measuring.measure(str(source), str(copy), (), [(500, "-dash"), (900, "--delete")])
    assert (cost.files, cost.size) == (2, 500 + 800)
    assert not any(copy.iterdir())


def test_a_listing_of_many_links_ends(tmp_path: Path) -> None:
    # Each is a line of errors: more than a pipe holds.
    for number in range(2_000):
        (tmp_path / f"link-{number:04}").symlink_to("nowhere")
    (tmp_path / "file").write_text("x")
    command = f"from idr.transfer import rclone; print([*rclone.list_files({str(tmp_path)!r})])"
    done = subprocess.run(
        [sys.executable, "-c", command], cwd=ROOT, capture_output=True, text=True, check=False, timeout=30
    )
    assert done.stdout == "[(1, 'file')]\n"
