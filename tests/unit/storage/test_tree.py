"""The walk through OMERO's files: in order, and as deep as users' folders are."""

import os
import subprocess
from pathlib import Path

from idr.storage.scan import tree

DEPTH = 1900
"""Deeper than Python's recursion; a path of Linux has room for 2,047 names of one letter."""


def test_files_come_in_the_order_of_whole_paths(tmp_path: Path) -> None:
    for name in ("a/b", "a.txt", "c/d/e", "c/a"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    paths = [os.fsdecode(one.path).removeprefix(f"{tmp_path}/") for one in tree.walk(os.fsencode(tmp_path))]
    assert paths == ["a.txt", "a/b", "c/a", "c/d/e"]


def test_a_deep_tree_does_not_end_the_report(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["d"] * DEPTH)
    here = Path.cwd()
    os.chdir(tmp_path)
    try:
        for _ in range(DEPTH):
            Path("d").mkdir()
            os.chdir("d")
        Path("x").write_text("x")
    finally:
        os.chdir(here)
    try:
        assert [os.fsdecode(one.path) for one in tree.walk(os.fsencode(tmp_path))] == [f"{deep}/x"]
    finally:
        # pytest's own clean-up is recursive.
        subprocess.run(["rm", "-rf", tmp_path / "d"], check=True)
