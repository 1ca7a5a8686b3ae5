"""A role of a site's own on loopback: its files and steps at other paths and ports. A stub replaces systemd."""

import os
import re
import subprocess
import time
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import yaml

from harness import stacks
from harness.stacks import ROOT
from model.overrides import merge
from model.plan import Plan
from model.planning import plan
from model.reading import Source, parse

SYSTEMCTL = '#!/bin/bash\necho "$*" >> "$PLAYED/log"\n'
NO_UNIT_RUNS = '[ "$1" != is-active ]\n'


def plan_of(example: Path, folder: Path = ROOT) -> Plan:
    """Return the plan of the public IDR with an example."""
    values = merge(stacks.values("idr"), yaml.safe_load((example / "idr.yaml").read_text()))
    return plan(parse(values, Source("idr", "Pulumi.idr.yaml", folder=folder)), "idr")


@dataclass
class RoleMachine:
    """The role, with a folder as the root of its machine. All accounts are that of the test."""

    folder: Path

    role: ClassVar[str]
    served: ClassVar[str]
    """The port that the role serves at the node's address."""
    folders: ClassVar[tuple[str, ...]]
    """The folders of a machine that are below `folder`."""
    do_units_run: ClassVar[bool]
    """Whether the stub of systemd shows each unit as running."""
    start_seconds: ClassVar[float]
    """The longest time until its services are healthy."""

    @property
    @abstractmethod
    def address(self) -> str:
        """Return the address of the node."""

    @abstractmethod
    def served_here(self) -> int:
        """Return the port on loopback instead of `served`."""

    @abstractmethod
    def other_ports(self) -> Mapping[str, int]:
        """Return the ports on loopback instead of those in the role's files."""

    @abstractmethod
    def left_alone(self) -> tuple[tuple[str, str], ...]:
        """Return parts of scripts that cannot run here, and their replacements."""

    def environment(self) -> dict[str, str]:
        """Return the environment of the role's programs, beside that in their files."""
        return {}

    def write_steps_of_the_program(self) -> None:
        """Write the files of the program that the role's steps call and read on a node."""
        for name in ("folders", "services"):
            self.write(f"/usr/local/lib/idr/common/{name}", (ROOT / "cloudinit/common/scripts" / name).read_text())
        self.write("/etc/idr/node.env", "NODE_ADDRESS=127.0.0.1\n")

    def write(self, path: str, text: str) -> Path:
        """Write a file of the machine."""
        file = Path(f"{self.folder}{path}")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(self._here(text))
        return file

    def _here(self, text: str) -> str:
        for host in (self.address, "$NODE_ADDRESS"):
            text = text.replace(f"{host}:{self.served}", f"127.0.0.1:{self.served_here()}")
        for was, port in self.other_ports().items():
            text = re.sub(rf"\b{was}\b", str(port), text)
        text = re.sub(rf"(?<![\w/.])/({'|'.join(self.folders)})", rf"{self.folder}/\1", text)
        for was, now in (
            ('-o "$owner" -g "$group" ', ""),
            ("systemctl disable -q --now haproxy", "true"),
            *self.left_alone(),
        ):
            text = text.replace(was, now)
        return text

    def step(self, name: str, changed: str = "") -> "subprocess.CompletedProcess[str]":
        """Run a step of the role."""
        played = self.folder / "played"
        played.mkdir(exist_ok=True)
        (played / "systemctl").write_text(SYSTEMCTL if self.do_units_run else SYSTEMCTL + NO_UNIT_RUNS)
        (played / "systemctl").chmod(0o755)
        environment = {
            **os.environ,
            "PATH": f"{played}:{os.environ['PATH']}",
            "PLAYED": str(played),
            "CHANGED": changed,
            **self.environment(),
        }
        script = f"{self.folder}/usr/local/lib/idr/{self.role}/{name}"
        return subprocess.run(["bash", script], env=environment, capture_output=True, text=True, check=False)

    def asked_of_systemd(self) -> list[str]:
        """Return the calls of systemctl by the last steps."""
        log = self.folder / "played" / "log"
        lines = log.read_text().splitlines() if log.exists() else []
        log.unlink(missing_ok=True)
        return lines

    def unit(self, name: str) -> tuple[str, dict[str, str], str]:
        """Return command, environment and folder of a unit, from its file."""
        text = Path(f"{self.folder}/etc/systemd/system/{name}.service").read_text()
        environment = dict(re.findall(r'^Environment="?(\w+)=([^"\n]*)"?$', text, re.MULTILINE))
        (command,) = re.findall(r"^ExecStart=(.*)$", text, re.MULTILINE)
        folder = re.search(r"^WorkingDirectory=(.*)$", text, re.MULTILINE)
        return command, environment, folder[1] if folder else "/"

    def wait_until_healthy(self) -> None:
        """Wait until `health` succeeds. Raises AssertionError with its output and the logs."""
        end = time.monotonic() + self.start_seconds
        while (done := self.step("health")).returncode and time.monotonic() < end:
            time.sleep(0.2)
        logs = "".join(file.read_text()[-1500:] for file in self.folder.glob("*.log"))
        assert done.returncode == 0, done.stdout + done.stderr + logs
