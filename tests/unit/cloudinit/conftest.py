"""A folder that replaces a machine for `idr-apply`."""

import getpass
import grp
import os
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from harness.stacks import ROOT
from tests import programs

SCRIPT = ROOT / "cloudinit" / "bootstrap" / "idr-apply"
USER, GROUP = getpass.getuser(), grp.getgrgid(os.getgid()).gr_name


class Machine:
    """A folder instead of a machine: two roles whose steps record that they ran."""

    def __init__(self, folder: Path, program: ModuleType) -> None:
        self.folder, self.program = folder, program
        self.journal = folder / "journal"
        self.config = folder / "service.conf"

    def bundle(
        self, content: str, digest: str, *, check: str = "", health: str = "", extra: bool = False
    ) -> dict[str, Any]:
        library = self.program.LIBRARY
        steps = {
            "prepare": "",
            "check": check,
            "activate": f"cat {self.config} >> {self.journal}",
            "health": health,
            "stop": "",
        }
        files = [self.file(self.config, content)]
        files += [self.file(self.folder / "extra.conf", "extra")] if extra else []
        for role in ("first", "second"):
            for step, body in steps.items():
                text = f"#!/bin/sh\nset -e\necho {role} {step} >> {self.journal}\n{body if role == 'first' else ''}\n"
                files.append(self.file(library / role / step, text, "0755"))
        return {"node": "n", "digest": digest, "roles": ["first", "second"], "healthSeconds": 0, "files": files}

    def file(self, path: Path, content: str, mode: str = "0640") -> dict[str, str]:
        return {"path": str(path), "content": content, "mode": mode, "owner": USER, "group": GROUP}

    def ran(self) -> list[str]:
        lines = self.journal.read_text().splitlines()
        self.journal.write_text("")
        return lines


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    program = programs.load(SCRIPT)
    state, library = tmp_path / "state", tmp_path / "lib"
    state.mkdir()
    for name, value in {
        "STATE": state,
        "APPLIED": state / "applied.json",
        "LIBRARY": library,
        "KEPT": state / "bundle.json",
        "UNFINISHED": state / "unfinished",
        "BACK_SECONDS": 0,
        "LOG": tmp_path / "log",
        "EARLY": (str(library),),
    }.items():
        monkeypatch.setattr(program, name, value)
    return Machine(tmp_path, program)
