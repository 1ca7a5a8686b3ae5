"""The steps of the role omero-web: another list of packages gets another environment, beside the one in use."""

import os
import subprocess
from pathlib import Path

import pytest

from harness.stacks import ROOT
from model import addons
from model.addons import WEB, Addons

ROLE = ROOT / "cloudinit" / "omero-web"
DOWNLOADS = ROOT / "cloudinit" / "omero-downloads" / "files/usr/local/lib/idr/omero-downloads/common.sh"
OWN = addons.merged(WEB, None)
WITH = addons.merged(WEB, Addons("site/web.lock", f"omero-parade==0.2.4 --hash=sha256:{'0' * 64}\n"))
PYTHON = """
mkdir -p "$3/bin"
printf '#!/bin/bash\\necho "pip $*" >> "$LOG"; [ ! -e "$BROKEN" ]\\n' > "$3/bin/pip"
chmod +x "$3/bin/pip"
"""
"""A stub of `python3 -m venv FOLDER`."""


class WebNode:
    """A folder as the root of a machine on which OMERO.web runs."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.web = folder, folder / "opt/omero/web"
        self.broken = folder / "broken"
        for name, text in (("python3", PYTHON), ("systemctl", 'echo "systemctl $*" >> "$LOG"')):
            self._write(f"bin/{name}", f"#!/bin/bash\n{text}\n").chmod(0o755)
        self._write("usr/local/lib/idr/omero-downloads/common.sh", DOWNLOADS.read_text())
        self._write(
            "usr/local/lib/idr/omero-downloads/downloads", "omero.icePython 0123456789abcdef https://x/ice.whl\n"
        )
        own = ROLE / "files/usr/local/lib/idr/omero-web/common.sh"
        self._write("usr/local/lib/idr/omero-web/common.sh", own.read_text())
        self._write("etc/idr/node.env", "")

    def _write(self, path: str, text: str) -> Path:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(self._here(text))
        return file

    def _here(self, text: str) -> str:
        for path in ("/usr/local/lib/idr", "/opt/omero/web", "/etc/idr"):
            text = text.replace(path, f"{self.folder}{path}")
        return text

    def step(self, name: str, lock: str) -> int:
        """Run a step with this list of packages; return its status."""
        self._write("usr/local/lib/idr/omero-web/requirements.txt", lock)
        text = self._here((ROLE / "scripts" / name).read_text())
        about = {"LOG": str(self.folder / "log"), "BROKEN": str(self.broken)}
        environment = {**os.environ, **about, "PATH": f"{self.folder}/bin:{os.environ['PATH']}"}
        return subprocess.run(["bash", "-c", text], env=environment, capture_output=True, check=False).returncode

    @property
    def used(self) -> Path:
        """Return the environment in which OMERO.web starts."""
        return (self.web / "venv3").readlink()

    @property
    def log(self) -> list[str]:
        """Return the calls of pip and systemctl since the last call."""
        file = self.folder / "log"
        lines = file.read_text().splitlines() if file.exists() else []
        file.unlink(missing_ok=True)
        return lines


@pytest.fixture
def node(tmp_path: Path) -> WebNode:
    """Make a machine with the program's own packages."""
    web_node = WebNode(tmp_path)
    assert [web_node.step(name, OWN) for name in ("prepare", "activate")] == [0, 0]
    assert web_node.log
    return web_node


def test_new_packages_are_installed_beside_the_environment_in_use(node: WebNode) -> None:
    before = node.used
    assert node.step("prepare", WITH) == 0
    assert node.used == before
    assert [line.split()[1] for line in node.log] == ["install", "install"]
    assert node.step("activate", WITH) == 0
    assert node.used != before
    assert node.log == ["systemctl is-active -q omero-web", "systemctl stop omero-web"]
    assert (before / ".complete").exists()


def test_going_back_needs_no_package(node: WebNode) -> None:
    before = node.used
    assert [node.step(name, WITH) for name in ("prepare", "activate")] == [0, 0]
    node.broken.touch()  # no package can be downloaded any more
    assert [node.step(name, OWN) for name in ("prepare", "activate")] == [0, 0]
    assert node.used == before


def test_packages_that_do_not_install_leave_the_environment_in_use(node: WebNode) -> None:
    before = node.used
    node.broken.touch()
    assert node.step("prepare", WITH) != 0
    assert node.used == before
    assert not [line for line in node.log if line.startswith("systemctl")]
    node.broken.unlink()
    assert [node.step(name, WITH) for name in ("prepare", "activate")] == [0, 0]
    assert node.used != before
