"""The role of examples/image-region on loopback: its own files and steps, at other paths and ports.

Stand-ins replace the service (image_region_service/bin) and OMERO's client (image_region_service/python). They are
as strict as the real ones are known to be.
"""

import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from harness import stacks
from harness.ports import free_port
from harness.rendered import files
from harness.stacks import ROOT
from model.plan import Node, Plan
from tests import role_machine
from tests.role_machine import RoleMachine

EXAMPLE = ROOT / "examples" / "image-region"
ROLE = EXAMPLE / "roles" / "image-region"
PLAYED = Path(__file__).with_name("image_region_service")
NAME = "image-region"


def plan_of() -> Plan:
    """Return the plan of the public IDR with the example."""
    return role_machine.plan_of(EXAMPLE)


def nodes_of(plan: Plan) -> tuple[Node, ...]:
    """Return the nodes with the role."""
    return tuple(node for node in plan.nodes if NAME in node.roles)


def pack(archive: Path, program: str = "omero-ms-image-region", python: str = "/usr/bin/env python3") -> None:
    """Write an archive like a build of the service: one folder, whose bin has the program that starts it.

    `python` runs it: with OMERO's client, it asks OMERO.server for sessions.
    """
    text = (PLAYED / "bin" / "omero-ms-image-region").read_text().replace("/usr/bin/env python3", python, 1)
    with zipfile.ZipFile(archive, "w") as file:
        about = zipfile.ZipInfo(f"omero-ms-image-region-0.10.0/bin/{program}")
        about.external_attr = 0o755 << 16
        file.writestr(about, text)


@dataclass
class Machine(RoleMachine):
    """The role, with a folder as the root of its machine."""

    role = NAME
    served = "8082"
    do_units_run = True
    start_seconds = 15
    folders = (
        *("opt/image-region", "opt/omero", "etc/image-region", "etc/idr", "usr/local/lib/idr"),
        *("var/lib/image-region", "run/image-region"),
    )
    service: int = field(default_factory=free_port)
    tls: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        plan = plan_of()
        node = nodes_of(plan)[0]
        self._address = str(node.address)
        for path, text in files(node, plan, stacks.secrets_of("idr")).items():
            if NAME in path or path in ("/etc/idr/ca.crt", "/usr/local/lib/idr/omero-server/ice.config"):
                self.write(path, text).chmod(0o755)
        self.write_steps_of_the_program()
        for path in ("opt/omero/server", "var/lib", "run/image-region-tls", "played"):
            (self.folder / path).mkdir(parents=True, exist_ok=True)
        self.sessions = self.folder / "sessions"
        self.sessions.touch()
        pack(self.archive)
        self.name_archive()

    @property
    def archive(self) -> Path:
        """Return the archive that the role names."""
        return self.folder / "service.zip"

    def name_archive(self, digest: str | None = None) -> None:
        """Put the archive and its sum into the role's files; `digest` replaces the sum."""
        checksum = digest or sha256(self.archive.read_bytes()).hexdigest()
        self.write(f"/usr/local/lib/idr/{NAME}/downloads", f"service {checksum} file://{self.archive}\n")

    @property
    def address(self) -> str:
        return self._address

    def served_here(self) -> int:
        return self.tls

    def other_ports(self) -> Mapping[str, int]:
        return {"8081": self.service}

    def left_alone(self) -> tuple[tuple[str, str], ...]:
        return (
            (f"-o {NAME} -g {NAME} ", ""),
            (f"id -u {NAME} > /dev/null 2>&1 ||", "true ||"),
            ("--cacert", "-k --cacert"),
            ("SECONDS = 20", "SECONDS = 0.3"),
        )

    def prepared(self) -> None:
        """Run the steps before the units start."""
        for name in ("prepare", "check", "activate"):
            done = self.step(name)
            assert done.returncode == 0, done.stdout + done.stderr

    @contextmanager
    def running(self, name: str) -> Iterator[None]:
        """Run the command of a unit until the block ends."""
        command, environment, folder = self.unit(name)
        # The interpreter of OMERO's environment is missing here.
        command = f"{sys.executable} {command}" if name != f"{NAME}-tls" else command.replace(" -Ws ", " -W ")
        environment |= {"NODE_ADDRESS": "127.0.0.1", "PLAYED_SESSIONS": str(self.sessions)}
        environment |= {"PYTHONPATH": str(PLAYED / "python")}
        with (self.folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                ["bash", "-c", f"exec {command}"],
                env=os.environ | environment,
                cwd=folder,
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
        """Run all three units until the block ends; they are healthy when it begins."""
        with ExitStack() as units:
            for name in (f"{NAME}-tls", NAME, f"{NAME}-session"):
                units.enter_context(self.running(name))
            self.wait_until_healthy()
            yield
