"""Buckets on a node: the real steps, with systemctl recorded instead of run."""

import os
import subprocess
from pathlib import Path

import pytest

from model.role_description import FOLDER

STEPS = FOLDER / "s3" / "scripts"
ZARR, NEW = "idr-s3-idr-zarr", "idr-s3-idr--new"


class Node:
    """A folder instead of a node. `running` are the units that systemd knows."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.log = folder, folder / "log"
        self.point, self.mounts = folder / "idr" / "zarr", folder / "mounts"
        self.stub("systemctl", f'echo "$@" >> {self.log}; [ "$1" != list-units ] || cat {folder}/running')
        self.running()
        self.wanted(ZARR)

    def stub(self, name: str, script: str) -> None:
        (self.folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (self.folder / name).chmod(0o755)

    def running(self, *units: str) -> None:
        lines = (f"{unit}.service loaded active running x\n" for unit in units)
        (self.folder / "running").write_text("".join(lines))

    def wanted(self, *units: str) -> None:
        lines = (f"{unit} {self.point} idr/zarr of https://s3.example.org\n" for unit in units)
        self.mounts.write_text("# Name of the unit, mount point, what is mounted there.\n" + "".join(lines))

    def run(self, step: str, *changed: str) -> "subprocess.CompletedProcess[str]":
        own = {
            "MOUNTS": str(self.mounts),
            "CACHE": str(self.folder / "cache"),
            "CHANGED": "\n".join(changed),
            "PATH": f"{self.folder}:{os.environ['PATH']}",
        }
        return subprocess.run([STEPS / step], env={**os.environ, **own}, capture_output=True, text=True, check=False)

    def asked(self) -> list[str]:
        return [line for line in self.log.read_text().splitlines() if not line.startswith("list-units")]


@pytest.fixture
def node(tmp_path: Path) -> Node:
    return Node(tmp_path)


def test_a_new_bucket_is_enabled_and_started(node: Node) -> None:
    assert node.run("activate").returncode == 0
    assert node.asked() == [f"enable -q {ZARR}.service", f"start {ZARR}.service"]


@pytest.mark.parametrize("changed", [f"/etc/systemd/system/{ZARR}.service", "/etc/idr/s3/idr-zarr.conf"])
def test_a_bucket_whose_settings_changed_is_mounted_again_and_no_other(node: Node, changed: str) -> None:
    node.wanted(ZARR, NEW)
    assert node.run("activate", changed).returncode == 0
    assert [line for line in node.asked() if not line.startswith("enable")] == [
        f"restart {ZARR}.service",
        f"start {NEW}.service",
    ]


def test_a_bucket_that_is_no_longer_wanted_is_unmounted(node: Node) -> None:
    assert node.run("prepare").returncode == 0
    cache = node.folder / "cache" / "idr-zarr"
    assert cache.stat().st_mode & 0o777 == 0o700
    node.running(ZARR, NEW)
    node.wanted()
    assert node.run("activate").returncode == 0
    assert node.asked() == [f"stop {ZARR}.service", f"stop {NEW}.service"]
    assert not cache.exists()


def test_a_bucket_that_answers_is_healthy(node: Node) -> None:
    node.point.mkdir(parents=True)
    assert node.run("health").returncode == 0


def test_health_says_which_bucket_does_not_answer(node: Node) -> None:
    done = node.run("health")
    assert (done.returncode, done.stdout) == (1, f"{node.point}: idr/zarr of https://s3.example.org does not answer\n")
    node.stub("systemctl", "exit 3")
    done = node.run("health")
    assert done.stdout == f"{node.point}: {ZARR} does not run, for idr/zarr of https://s3.example.org\n"


def test_without_buckets_nothing_is_asked_of_the_machine(node: Node) -> None:
    node.wanted()
    for step in ("prepare", "health"):
        assert node.run(step).returncode == 0
    assert not node.log.exists()
