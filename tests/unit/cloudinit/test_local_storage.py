"""Trees of links and folders on the nodes' own disks, by the real scripts."""

import os
import subprocess
from pathlib import Path

import pytest

from model.role_description import FOLDER

SCRIPTS = FOLDER / "local-storage" / "scripts"


class Node:
    """A folder instead of a node's disk."""

    def __init__(self, folder: Path) -> None:
        self.root, self.tree = folder, folder / "filesets"
        self._links, self._folders, self._mounts = folder / "links", folder / "folders", folder / "mounts"
        for name, text in {"runuser": '#!/bin/sh\nshift 3\nexec "$@"\n'}.items():
            (folder / name).write_text(text)
            (folder / name).chmod(0o755)

    def wants(self, *links: tuple[str, str], folders: tuple[Path, ...] = (), mount: str = "/") -> None:
        """Write the lists."""
        self._mounts.write_text(f"# Mounts.\n{mount}\n")
        self._links.write_text("# Links.\n" + "".join(f"{self.tree}/{name} {to}\n" for name, to in links))
        self._folders.write_text("# Folders.\n" + "".join(f"{folder}\n" for folder in folders))

    def run(self, script: str) -> "subprocess.CompletedProcess[str]":
        """Run a step of the role."""
        own = {
            "LINKS": str(self._links),
            "MADE": str(self.root / "made"),
            "FOLDERS": str(self._folders),
            "MOUNTS": str(self._mounts),
            "PATH": f"{self.root}:{os.environ['PATH']}",
        }
        return subprocess.run([SCRIPTS / script], env=os.environ | own, capture_output=True, text=True, check=False)

    def links(self) -> dict[str, str]:
        """Return the links in the tree."""
        links = (path for path in self.tree.rglob("*") if path.is_symlink())
        return {str(path.relative_to(self.tree)): str(path.readlink()) for path in links}


@pytest.fixture
def node(tmp_path: Path) -> Node:
    return Node(tmp_path)


def test_links_are_created_moved_and_removed(node: Node) -> None:
    node.wants(("idr0001", "/a"), ("old/idr0002", "/b"))
    assert node.run("prepare").returncode == 0
    assert node.links() == {"idr0001": "/a", "old/idr0002": "/b"}
    (node.tree / "mine").symlink_to("/c")
    node.wants(("idr0001", "/d"))
    assert node.run("prepare").returncode == 0
    # Links that somebody else created stay.
    assert node.links() == {"idr0001": "/d", "mine": "/c"}
    assert not (node.tree / "old").exists()


def test_without_links_nothing_of_them_stays(node: Node) -> None:
    node.wants(("idr0001", "/a"))
    node.run("prepare")
    node.wants()
    assert node.run("prepare").returncode == 0
    assert not node.tree.exists()


def test_a_dot_in_a_path_is_a_dot(node: Node) -> None:
    node.wants(("idr.0001", "/a"))
    node.run("prepare")
    node.wants(("idr-0001", "/a"))
    assert node.run("prepare").returncode == 0
    assert node.links() == {"idr-0001": "/a"}


def test_a_folder_with_data_is_never_replaced_by_a_link(node: Node) -> None:
    (node.tree / "idr0001").mkdir(parents=True)
    (node.tree / "idr0001" / "image").write_text("data")
    node.wants(("idr0001", "/a"))
    done = node.run("prepare")
    assert done.returncode == 1
    assert "is there already and is no link" in done.stdout
    assert (node.tree / "idr0001" / "image").read_text() == "data"


def test_a_link_is_remembered_also_where_another_one_could_not_be_created(node: Node) -> None:
    (node.tree / "b").mkdir(parents=True)
    node.wants(("a", "/a"), ("b", "/b"))
    assert node.run("prepare").returncode == 1
    node.wants(("c", "/c"))
    assert node.run("prepare").returncode == 0
    assert node.links() == {"c": "/c"}


def test_a_node_is_healthy_where_links_and_folders_have_something(node: Node) -> None:
    raw = node.root / "raw"
    (raw / "idr0001").mkdir(parents=True)
    node.wants(("idr0001", f"{raw}/idr0001"), folders=(raw,))
    node.run("prepare")
    assert node.run("health").returncode == 0


@pytest.mark.parametrize(
    ("folder", "link", "message"),
    [
        ("gone", "raw/idr0001", "gone: is no folder that omero-server can read, or does not answer"),
        ("empty", "raw/idr0001", "empty: is empty: is what belongs there mounted?"),
        ("raw", "raw/gone", "raw/gone is not there, or does not answer"),
    ],
)
def test_what_is_missing_is_named(node: Node, folder: str, link: str, message: str) -> None:
    (node.root / "raw" / "idr0001").mkdir(parents=True)
    (node.root / "empty").mkdir()
    node.wants(("idr0001", f"{node.root}/{link}"), folders=(node.root / folder,))
    node.run("prepare")
    done = node.run("health")
    assert done.returncode == 1
    assert message in done.stdout


def test_a_link_that_somebody_has_changed_is_named(node: Node) -> None:
    node.wants(("idr0001", str(node.root)))
    node.run("prepare")
    (node.tree / "idr0001").unlink()
    (node.tree / "idr0001").symlink_to("/elsewhere")
    assert f"does not lead to {node.root}" in node.run("health").stdout


def test_a_volume_that_is_not_mounted_is_named(node: Node) -> None:
    node.wants(mount=str(node.root))
    done = node.run("health")
    assert done.returncode == 1
    assert f"{node.root}: its volume is not mounted" in done.stdout
