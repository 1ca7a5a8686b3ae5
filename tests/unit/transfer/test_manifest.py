"""`idr manifest`, beside the real sha256sum."""

import json
import os
import subprocess
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from idr.__main__ import app
from idr.errors import IdrError
from idr.manifest.sums import Difference, Sum, differences, line, read

SUM = "a" * 64
paths = st.lists(st.text("ab.-/\\\n\ré", min_size=1, max_size=6), unique=True).map(
    lambda any_paths: sorted({path.strip("/") for path in any_paths} - {""}, key=lambda path: path.split("/"))
)


def idr(*arguments: object) -> "subprocess.CompletedProcess[str]":
    done = CliRunner().invoke(app, ["manifest", *map(str, arguments)])
    return subprocess.CompletedProcess([*map(str, arguments)], done.exit_code, done.stdout, done.stderr)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "tree"
    for name in ("a/b.tiff", "a.tiff", "a-b/c", "line\nend", "back\\slash", "ü", "empty/nothing"):
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name * 9)
    (folder / "link").symlink_to("a.tiff")
    Path(os.fsdecode(os.fsencode(folder) + b"/latin\xfc")).write_text("an older name")
    return folder


def test_sha256sum_verifies_what_is_written(tree: Path, tmp_path: Path) -> None:
    manifest = tmp_path / "manifest"
    assert idr(tree, manifest).returncode == 0
    subprocess.run(["sha256sum", "--check", "--strict", "--quiet", manifest], cwd=tree, check=True)
    assert len(manifest.read_bytes().splitlines()) == 8
    verified = idr(tree, manifest, "--verify")
    assert (verified.returncode, verified.stdout) == (0, f"8 files, 481 bytes: all are as {manifest} says\n")


def test_a_manifest_that_is_there_is_kept(tree: Path, tmp_path: Path) -> None:
    manifest = tmp_path / "manifest"
    assert idr(tree, manifest).returncode == 0
    (tree / "a.tiff").write_text("changed on the road")
    written = manifest.read_bytes()
    # As a user types it who forgets --verify.
    done = idr(tree, manifest)
    message = f"error: {manifest} exists already: give --verify to compare the tree with it, or another name\n"
    assert (done.returncode, done.stderr, manifest.read_bytes()) == (1, message, written)
    assert idr(tree, tmp_path / "other", "--report", tmp_path / "report").returncode == 2


def test_every_difference_is_found(tree: Path, tmp_path: Path) -> None:
    manifest, report = tmp_path / "manifest", tmp_path / "report"
    assert idr(tree, manifest).returncode == 0
    (tree / "a" / "b.tiff").write_text("another content")
    (tree / "ü").unlink()
    (tree / "zz").write_text("new")
    done = idr(tree, manifest, "--verify", "--report", report, "--json")
    assert done.returncode == 1
    assert report.read_text() == "different\ta/b.tiff\nadded\tzz\nmissing\tü\n"
    answer = json.loads(done.stdout)
    assert {name: answer[name] for name in ("missing", "different", "added", "unreadable")} == {
        "missing": 1,
        "different": 1,
        "added": 1,
        "unreadable": 0,
    }
    assert done.stderr == f"error: {tree} is not as {manifest} says: 1 missing, 1 different, 1 added\n"


def test_a_manifest_in_the_tree_and_one_that_is_none_are_refused(tree: Path, tmp_path: Path) -> None:
    inside = idr(tree, tree / "manifest")
    assert inside.returncode == 2
    assert not (tree / "manifest").exists()
    manifest = tmp_path / "manifest"
    manifest.write_text("not a sum\n")
    done = idr(tree, manifest, "--verify")
    assert done.returncode == 1
    assert "line 1 is no line of a manifest" in done.stderr


def test_a_tree_without_files_has_no_manifest_and_is_not_well(tmp_path: Path) -> None:
    tree, manifest = tmp_path / "tree", tmp_path / "manifest"
    (tree / "empty").mkdir(parents=True)
    (tree / "link").symlink_to("empty")
    done = idr(tree, manifest)
    assert (done.returncode, done.stderr) == (1, f"error: {tree} has no files: is it mounted?\n")
    assert not manifest.exists()
    manifest.touch()
    assert idr(tree, manifest, "--verify").stderr == done.stderr


def test_a_report_in_the_tree_is_refused(tree: Path, tmp_path: Path) -> None:
    manifest = tmp_path / "manifest"
    assert idr(tree, manifest).returncode == 0
    assert idr(tree, manifest, "--verify", "--report", tree / "report").returncode == 2
    assert not (tree / "report").exists()


def test_a_manifest_in_another_order_is_refused_instead_of_reporting_every_file() -> None:
    with pytest.raises(IdrError, match="line 2 is not in the order"):
        list(read([line(Sum("b", SUM)), line(Sum("a", SUM))], "manifest"))


@given(paths)
def test_a_manifest_is_read_as_it_was_written(names: list[str]) -> None:
    assert [one.path for one in read([line(Sum(name, SUM)) for name in names], "manifest")] == names


@given(paths, paths)
def test_differences_are_those_of_the_sets(wanted: list[str], present: list[str]) -> None:
    reported = list(differences((Sum(name, SUM) for name in wanted), (Sum(name, SUM) for name in present)))
    missing = {Difference("missing", name) for name in wanted if name not in present}
    added = {Difference("added", name) for name in present if name not in wanted}
    assert set(reported) == missing | added
    assert len(reported) == len(missing | added)


def test_neither_manifest_is_kept_in_memory() -> None:
    numbers = count()
    endless = (Sum(f"{next(numbers):09}", SUM) for _ in iter(int, 1))
    assert next(differences(endless, iter(()))) == Difference("missing", "000000000")
