"""The step `loads` of the role web: it detects what would stop OMERO.web before it changes the running service."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.stacks import ROOT

SCRIPT = ROOT / "cloudinit" / "web" / "scripts" / "loads"


@dataclass(frozen=True)
class WebNode:
    """The script, with this folder as the root of a machine."""

    folder: Path

    def program(self, path: str, text: str) -> None:
        """Create a program of the machine."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"#!/bin/bash\n{text}\n")
        file.chmod(0o755)

    def environment(self, name: str, *, python: str) -> None:
        """Create a Python environment: `omero load` logs its input, and `python` runs the given text."""
        self.program(
            f"opt/omero/web/{name}/bin/omero", 'echo "$OMERODIR $*" >> "$LOG"; touch "$OMERODIR/etc/grid/config.xml"'
        )
        self.program(f"opt/omero/web/{name}/bin/python", f'echo "{name} $OMERODIR" >> "$LOG"; {python}')

    def run(self) -> "subprocess.CompletedProcess[str]":
        """Run the script."""
        text = SCRIPT.read_text()
        for path in ("/opt/omero/web", "/usr/local/lib/idr", "-p /run"):
            text = text.replace(path, f"{'-p ' if ' ' in path else ''}{self.folder}{path.removeprefix('-p ')}")
        # The user is missing, and this account may not become another.
        text = text.replace("runuser -u omero-web -- ", "").replace("chown omero-web ", "true ")
        environment = {**os.environ, "LOG": str(self.folder / "log")}
        return subprocess.run(["bash", "-c", text], env=environment, capture_output=True, text=True, check=False)

    @property
    def log(self) -> list[str]:
        """Return the calls of the programs."""
        return (self.folder / "log").read_text().splitlines()


@pytest.fixture
def node(tmp_path: Path) -> WebNode:
    """Make a machine whose image has OMERO.web."""
    (tmp_path / "run").mkdir()
    web_node = WebNode(tmp_path)
    web_node.environment("venv3", python="exit 0")
    return web_node


def test_what_loads_is_tried_in_a_folder_that_is_gone_afterwards(node: WebNode) -> None:
    done = node.run()
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    loaded, tried = node.log
    home = tried.removeprefix("venv3 ")
    assert loaded == f"{home} load --glob {node.folder}/opt/omero/web/config/*.omero"
    assert home.startswith(f"{node.folder}/run/")
    assert list((node.folder / "run").iterdir()) == []


def test_what_does_not_load_is_one_line_with_the_reason(node: WebNode) -> None:
    node.environment(
        "venv3", python="echo Traceback; echo '  File x'; echo 'IndexError: list index out of range'; exit 1"
    )
    done = node.run()
    assert done.returncode == 1
    assert done.stdout == (
        "OMERO.web does not load its settings or an application: IndexError: list index out of range\n"
    )
    assert list((node.folder / "run").iterdir()) == []


def test_a_new_environment_is_tried_before_it_is_in_use(node: WebNode) -> None:
    node.environment("venv3", python="echo the old one; exit 1")
    node.environment("venv-new", python="exit 0")
    node.program("usr/local/lib/idr/omero-web/common.sh", f"folder={node.folder}/opt/omero/web/venv-new")
    assert node.run().returncode == 0
    assert node.log[-1].startswith("venv-new ")
