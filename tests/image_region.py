"""The role of examples/image-region on loopback: its own files and steps, at other paths and ports.

What stands for something else: the service (image_region_service/bin) and OMERO's client (image_region_service/python),
both as strict as the true ones are known to be.
"""

import os
import re
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import yaml

from harness import stacks
from harness.ports import free_port
from harness.rendered import files
from harness.stacks import ROOT
from model.overrides import merge
from model.plan import Node, Plan
from model.planning import plan
from model.reading import Source, parse

EXAMPLE = ROOT / "examples" / "image-region"
ROLE = EXAMPLE / "roles" / "image-region"
PLAYED = Path(__file__).with_name("image_region_service")
NAME = "image-region"
FOLDERS = (
    r"(?<![\w/.])/(opt/image-region|opt/omero|etc/image-region|etc/idr|usr/local/lib/idr|var/lib/image-region"
    r"|run/image-region)"
)


def plan_of() -> Plan:
    """The IDR as it is published, with the example on top."""
    values = merge(stacks.values("idr"), yaml.safe_load((EXAMPLE / "idr.yaml").read_text()))
    return plan(parse(values, Source("idr", "Pulumi.idr.yaml", folder=ROOT)), "idr")


def nodes_of(made: Plan) -> tuple[Node, ...]:
    """The nodes with the role."""
    return tuple(node for node in made.nodes if NAME in node.roles)


def pack(archive: Path, program: str = "omero-ms-image-region") -> None:
    """Write an archive as a build of the service is: one folder, with the program that starts it in bin."""
    with zipfile.ZipFile(archive, "w") as file:
        about = zipfile.ZipInfo(f"omero-ms-image-region-0.10.0/bin/{program}")
        about.external_attr = 0o755 << 16
        file.writestr(about, (PLAYED / "bin" / "omero-ms-image-region").read_text())


@dataclass
class Machine:
    """The role on a folder for the root of a machine. Accounts are this one; units are played."""

    folder: Path
    service: int = field(default_factory=free_port)
    tls: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        made = plan_of()
        node = nodes_of(made)[0]
        self.address = str(node.address)
        for path, text in files(node, made, stacks.secrets_of("idr")).items():
            if NAME in path or path in ("/etc/idr/ca.crt", "/usr/local/lib/idr/omero-server/ice.config"):
                self.write(path, text).chmod(0o755)
        for name in ("folders", "services"):
            self.write(f"/usr/local/lib/idr/common/{name}", (ROOT / "cloudinit/common/scripts" / name).read_text())
        self.write("/etc/idr/node.env", "NODE_ADDRESS=127.0.0.1\n")
        for path in ("opt/omero/server", "var/lib", "run/image-region-tls", "played"):
            (self.folder / path).mkdir(parents=True, exist_ok=True)
        self.sessions = self.folder / "sessions"
        self.sessions.touch()
        pack(self.archive)
        self.name_archive()

    @property
    def archive(self) -> Path:
        """The archive that the role names."""
        return self.folder / "service.zip"

    def name_archive(self, digest: str | None = None) -> None:
        """Say which archive there is; `digest` is another sum than the true one."""
        found = digest or sha256(self.archive.read_bytes()).hexdigest()
        self.write(f"/usr/local/lib/idr/{NAME}/downloads", f"service {found} file://{self.archive}\n")

    def write(self, path: str, text: str) -> Path:
        """Write a file of the machine."""
        file = Path(f"{self.folder}{path}")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(self._here(text))
        return file

    def _here(self, text: str) -> str:
        text = text.replace(f"{self.address}:8082", f"127.0.0.1:{self.tls}").replace(
            "$NODE_ADDRESS:8082", f"127.0.0.1:{self.tls}"
        )
        text = re.sub(r"\b8081\b", str(self.service), text)
        text = re.sub(FOLDERS, rf"{self.folder}/\1", text)
        # Accounts and units of this machine are left alone.
        for was, now in (
            ('-o "$owner" -g "$group" ', ""),
            (f"-o {NAME} -g {NAME} ", ""),
            (f"id -u {NAME} > /dev/null 2>&1 ||", "true ||"),
            ("systemctl disable -q --now haproxy", "true"),
            ("--cacert", "-k --cacert"),
            ("SECONDS = 20", "SECONDS = 0.3"),
        ):
            text = text.replace(was, now)
        return text

    def step(self, name: str, changed: str = "") -> "subprocess.CompletedProcess[str]":
        """Run a step of the role."""
        played = self.folder / "played"
        (played / "systemctl").write_text('#!/bin/bash\necho "$*" >> "$PLAYED/log"\n')
        (played / "systemctl").chmod(0o755)
        environment = {
            **os.environ,
            "PATH": f"{played}:{os.environ['PATH']}",
            "PLAYED": str(played),
            "CHANGED": changed,
        }
        script = f"{self.folder}/usr/local/lib/idr/{NAME}/{name}"
        return subprocess.run(["bash", script], env=environment, capture_output=True, text=True, check=False)

    def prepared(self) -> None:
        """Take the steps before the units start."""
        for name in ("prepare", "check", "activate"):
            done = self.step(name)
            assert done.returncode == 0, done.stdout + done.stderr

    def asked_of_systemd(self) -> list[str]:
        """What the last steps asked of systemctl."""
        log = self.folder / "played" / "log"
        said = log.read_text().splitlines() if log.exists() else []
        log.unlink(missing_ok=True)
        return said

    @contextmanager
    def running(self, name: str) -> Iterator[None]:
        """Run a unit's command until the end of the block."""
        text = Path(f"{self.folder}/etc/systemd/system/{name}.service").read_text()
        (command,) = re.findall(r"^ExecStart=(.*)$", text, re.M)
        place = re.search(r"^WorkingDirectory=(.*)$", text, re.M)
        environment = dict(re.findall(r'^Environment="?(\w+)=([^"\n]*)"?$', text, re.M))
        # The interpreter of OMERO's environment, which is not here.
        command = f"{sys.executable} {command}" if name != f"{NAME}-tls" else command.replace(" -Ws ", " -W ")
        environment |= {"NODE_ADDRESS": "127.0.0.1", "PLAYED_SESSIONS": str(self.sessions)}
        environment |= {"PYTHONPATH": str(PLAYED / "python")}
        with (self.folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                ["bash", "-c", f"exec {command}"],
                env=os.environ | environment,
                cwd=place[1] if place else "/",
                stdout=log,
                stderr=log,
            )
            try:
                yield
            finally:
                process.terminate()
                process.wait(30)

    @contextmanager
    def serving(self) -> Iterator[None]:
        """All three units, healthy, until the end of the block."""
        with ExitStack() as units:
            for name in (f"{NAME}-tls", NAME, f"{NAME}-session"):
                units.enter_context(self.running(name))
            self.wait_until_healthy()
            yield

    def wait_until_healthy(self, seconds: float = 15) -> None:
        """Until `health` succeeds. Raises AssertionError with what it says."""
        end = time.monotonic() + seconds
        while (done := self.step("health")).returncode and time.monotonic() < end:
            time.sleep(0.2)
        logs = "".join(file.read_text()[-1500:] for file in self.folder.glob(f"{NAME}*.log"))
        assert done.returncode == 0, done.stdout + done.stderr + logs
