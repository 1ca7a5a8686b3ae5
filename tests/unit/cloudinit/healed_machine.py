"""A folder that replaces a machine for `idr-heal`."""

import json
import os
from pathlib import Path
from types import ModuleType

import pytest

from harness.stacks import ROOT
from tests import programs

COMMON = ROOT / "cloudinit" / "common"
SCRIPT = COMMON / "files" / "usr" / "local" / "sbin" / "idr-heal"


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    module = programs.load(SCRIPT)
    (tmp_path / "lib").mkdir()
    (tmp_path / "metrics").mkdir()
    (tmp_path / "bin").mkdir()
    paths = {
        "APPLIED": tmp_path / "applied.json",
        "LOCK": tmp_path / "lock",
        "LIBRARY": tmp_path / "lib",
        "METRICS": tmp_path / "metrics" / "idr-heal.prom",
        "CHECK_SECONDS": 2,
        "STOP_SECONDS": 0.6,
    }
    for name, value in paths.items():
        monkeypatch.setattr(module, name, value)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    return module


SYSTEMCTL = """#!/bin/sh
[ "$1" = show ] || {{ echo "$@" >> {calls}; exit; }}
echo "$@" >> {questions}
for unit; do
  name=${{unit%\\*}}
  [ "$name" = "$unit" ] || name=${{name}}15-main
  case $unit in show | -*) ;; *) printf 'Names=alias.service %s.service\nActiveState={word}\n\n' "$name" ;; esac
done
"""


class Machine:
    """A machine whose systemctl records its calls, and shows `state` for every unit."""

    def __init__(self, folder: Path, *roles: str) -> None:
        self.folder, self.calls, self.questions = folder, folder / "calls", folder / "questions"
        self.calls.touch()
        (folder / "applied.json").write_text(json.dumps({"roles": roles}))
        self.state("active")

    def state(self, word: str) -> None:
        """Let systemctl show this state for every unit. Each has an alias, and a template has the instance 15-main."""
        systemctl = self.folder / "bin" / "systemctl"
        systemctl.write_text(SYSTEMCTL.format(word=word, calls=self.calls, questions=self.questions))
        systemctl.chmod(0o755)

    def check(self, role: str, unit: str, body: str) -> None:
        """Give a role the check of a unit."""
        self.script(role, f"watch-{unit}", body)

    def script(self, role: str, name: str, body: str) -> None:
        """Give a role a script."""
        script = self.folder / "lib" / role / name
        script.parent.mkdir(exist_ok=True)
        script.write_text(f"#!/bin/sh\n{body}\n")
        script.chmod(0o755)

    def asked(self) -> list[str]:
        lines = self.calls.read_text().splitlines()
        self.calls.write_text("")
        return lines
