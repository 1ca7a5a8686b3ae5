"""Runs a Redis node's server on loopback: the rendered configuration, with other paths and another port."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness import rendered, stacks
from harness.ports import free_port
from harness.proxy import AUTHORITY, wait_for
from model.plan import Plan
from model.roles import Role

FOLDERS = ("/etc/redis/", "/var/lib/redis/", "/run/redis/")


@dataclass(frozen=True)
class Redis:
    """A running server, with its configuration in `folder`."""

    folder: Path
    port: int

    def command(self, *words: str, tls: bool = True) -> list[str]:
        """Return a command line of redis-cli."""
        encrypted = ["--tls", "--cacert", str(self.folder / "ca.crt")] if tls else []
        return ["redis-cli", "-p", str(self.port), *encrypted, "--no-auth-warning", *words]

    def ask(self, *words: str, password: str = "", tls: bool = True) -> str:
        """Run a command and return its answer or error."""
        done = subprocess.run(
            self.command(*words, tls=tls),
            env={"PATH": "/usr/bin:/bin", **({"REDISCLI_AUTH": password} if password else {})},
            capture_output=True,
            text=True,
            check=False,
            timeout=20,
        )
        return (done.stdout + done.stderr).strip()


def write(folder: Path, plan: Plan, port: int) -> Path:
    """Write the configuration of the first release's Redis for this folder and port; return the path of redis.conf."""
    folder.mkdir(exist_ok=True)
    node = plan.releases[0].with_role(Role.REDIS)[0]
    for path, text in rendered.files(node, plan, stacks.secrets_of(plan.stack)).items():
        if path == AUTHORITY or path.startswith("/etc/redis/"):
            local = text.replace("tls-port 6379", f"tls-port {port}").replace(f" {node.address}\n", "\n")
            for name in FOLDERS:
                local = re.sub(rf"{name}|{name.rstrip('/')}$", f"{folder}/", local, flags=re.MULTILINE)
            (folder / Path(path).name).write_text(local.replace("supervised systemd", "supervised no"))
    return folder / "redis.conf"


@contextmanager
def running(folder: Path, plan: Plan) -> Iterator[Redis]:
    """Run the server until the end of the block."""
    port = free_port()
    process = subprocess.Popen(["redis-server", write(folder, plan, port)], stdout=subprocess.DEVNULL)
    try:
        wait_for(port, process)
        yield Redis(folder, port)
    finally:
        process.terminate()
        process.wait()
