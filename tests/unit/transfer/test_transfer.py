"""`idr transfer` with the real rclone, between folders."""

import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from harness.stacks import ROOT
from idr.__main__ import app
from tests.waiting import wait_until

pytestmark = pytest.mark.needs("rclone")


def idr(*arguments: object) -> "subprocess.CompletedProcess[str]":
    """Run the command in this process, where coverage sees it; return the result as of its own process."""
    done = CliRunner().invoke(app, [*map(str, arguments), "--on-root-disk"])
    return subprocess.CompletedProcess([*map(str, arguments)], done.exit_code, done.stdout, done.stderr)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    chance = random.Random(16)  # noqa: S311  # content for a test
    for number in range(60):
        file = folder / f"study-{number % 7}" / f"image {number}.tiff"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(chance.randbytes(2_000))
    (folder / "study-0" / "large.ome.tiff").write_bytes(chance.randbytes(3_000_000))
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_a_tree_is_copied_and_compared(source: Path, tmp_path: Path) -> None:
    done = idr("transfer", source, tmp_path / "there", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert (report["copied"], report["copied_bytes"]) == (61, 3_120_000)
    assert (report["missing"], report["different"], report["unreadable"], report["without_sum"]) == (0, 0, 0, 0)
    assert contents(tmp_path / "there") == contents(source)
    assert json.loads(idr("transfer", source, tmp_path / "there", "--json").stdout)["copied"] == 0


def test_another_content_of_the_same_size_and_time_is_found_unless_sizes_are_enough(
    source: Path, tmp_path: Path
) -> None:
    there = tmp_path / "there"
    assert idr("transfer", source, there).returncode == 0
    file = there / "study-0" / "large.ome.tiff"
    about = file.stat()
    with file.open("r+b") as opened:
        opened.seek(1_000_000)
        opened.write(b"not what it was")
    os.utime(file, ns=(about.st_atime_ns, about.st_mtime_ns))
    report = tmp_path / "report"
    done = idr("transfer", source, there, "--report", report)
    assert done.returncode == 1
    assert "0 missing, 1 different, 0 unreadable" in done.stdout
    assert report.read_text() == "different\tstudy-0/large.ome.tiff\n"
    assert idr("transfer", source, there, "--sizes-only").returncode == 0


def test_a_file_that_cannot_be_copied_is_named(source: Path, tmp_path: Path) -> None:
    there = tmp_path / "there"
    (there / "study-1" / "image 1.tiff").mkdir(parents=True)
    done = idr("transfer", source, there)
    assert done.returncode == 1
    assert "missing    study-1/image 1.tiff" in done.stdout
    assert contents(there).keys() == contents(source).keys() - {"study-1/image 1.tiff"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("{none}", "{there}"), "error: rclone copy {none} {there}: Failed to copy: directory not found"),
        (("nowhere:x", "{there}"), "didn't find section in config file"),
        (("{source}", "{there}", "--bandwidth", "fast"), "invalid argument"),
        (("{none}", "{there}", "--estimate"), "error: rclone lsf {none}: "),
        (("{empty}", "{there}", "--estimate"), "there is nothing to measure"),
    ],
)
def test_what_cannot_begin_is_one_line(source: Path, tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    folders = {"source": source, "there": tmp_path / "there", "none": tmp_path / "none", "empty": tmp_path / "empty"}
    folders["empty"].mkdir()
    done = idr("transfer", *(word.format(**folders) for word in arguments))
    assert done.returncode == 1
    assert message.format(**folders) in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "there").exists()


def test_who_forgets_to_ask_for_an_estimate_copies_nothing(source: Path, tmp_path: Path) -> None:
    done = idr("transfer", source, tmp_path / "there", "--terabytes", 40)
    assert (done.returncode, "--terabytes goes with --estimate" in done.stderr) == (2, True)
    assert not (tmp_path / "there").exists()


def test_an_estimate_leaves_nothing_behind(source: Path, tmp_path: Path) -> None:
    there = tmp_path / "there"
    done = idr("transfer", source, there, "--estimate", "--terabytes", 40, "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["files"] == 61
    assert [one["terabytes"] for one in answer["durations"]] == [3_120_000 / 1e12, 40]
    assert 0 < answer["durations"][0]["hours"] < answer["durations"][1]["hours"]
    assert contents(there) == {}


def test_an_interrupted_run_ends_with_75_and_the_next_one_completes_it(source: Path, tmp_path: Path) -> None:
    there = tmp_path / "there"
    command = [
        sys.executable,
        "-m",
        "idr",
        "transfer",
        str(source),
        str(there),
        "--bandwidth",
        "600k",
        "--on-root-disk",
    ]
    with subprocess.Popen(
        command, cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, start_new_session=True
    ) as process:
        wait_until(there.exists, 60)
        os.killpg(process.pid, signal.SIGINT)
        _, output = process.communicate(timeout=60)
    assert process.returncode == 75
    assert output.endswith("error: interrupted; run the same command again to go on\n")
    assert contents(there) != contents(source)
    assert idr("transfer", source, there).returncode == 0
    assert contents(there) == contents(source)


def test_without_rclone_it_says_how_to_get_it(source: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "idr", "transfer", str(source), str(tmp_path / "there"), "--on-root-disk"]
    environment = {**os.environ, "PATH": str(tmp_path)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("error: rclone is not installed")
