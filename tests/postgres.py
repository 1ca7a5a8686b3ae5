"""A PostgreSQL server of a test on the loopback address, like one that a team uses for Pulumi's state."""

import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dev import debian
from harness.ports import free_port

PACKAGE = "postgresql"
PROGRAMS = Path("/usr/lib/postgresql")
# PostgreSQL refuses to run as root.
OWNER = "postgres" if os.geteuid() == 0 else None
ROLE, DATABASE = "idr_state", "pulumi"


@dataclass(frozen=True)
class Server:
    """A running server with a database that its own role owns."""

    programs: Path
    port: int
    password_file: Path

    def environment(self) -> dict[str, str]:
        """Return what the engine needs to keep its state here; no password is in a URL, because messages show URLs."""
        url = f"postgres://{ROLE}@127.0.0.1:{self.port}/{DATABASE}?sslmode=disable"
        return {"PULUMI_BACKEND_URL": url, "PGPASSFILE": str(self.password_file)}

    def run(self, program: str, *arguments: str, text_input: str = "") -> str:
        """Return the output of one of PostgreSQL's own client programs. Raises CalledProcessError."""
        where = ["--host=127.0.0.1", f"--port={self.port}", f"--username={ROLE}", "--no-password"]
        return subprocess.run(
            [self.programs / program, *where, *arguments],
            env={**os.environ, "PGPASSFILE": str(self.password_file)},
            input=text_input,
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    def query(self, sql: str) -> str:
        """Return the rows of a query, unaligned."""
        return self.run("psql", f"--dbname={DATABASE}", "--tuples-only", "--no-align", "--command", sql)


@contextmanager
def server() -> Iterator[Server]:
    """Run a server until the block ends. Raises dev.debian.PackageError when PostgreSQL cannot be installed."""
    if not list(PROGRAMS.glob("*/bin/initdb")):
        debian.ensure([PACKAGE], print)
    programs = max(PROGRAMS.glob("*/bin"), key=lambda folder: float(folder.parent.name))
    password = secrets.token_urlsafe(24)
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="idr-state-") as temporary:
        folder = Path(temporary)
        password_file, data, first = folder / "pgpass", folder / "data", folder / "first-password"
        password_file.touch(mode=0o600)
        password_file.write_text(f"127.0.0.1:{port}:*:{ROLE}:{password}\n")
        first.touch(mode=0o600)
        first.write_text(password)
        if OWNER:
            shutil.chown(folder, OWNER)
            shutil.chown(first, OWNER)
        _as_owner(
            programs / "initdb", "--auth=scram-sha-256", f"--username={ROLE}", f"--pwfile={first}", "-D", str(data)
        )
        options = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories='' -c fsync=off"
        _as_owner(programs / "pg_ctl", "-D", str(data), "-l", f"{data}/log", "-o", options, "-w", "start")
        try:
            postgres = Server(programs, port, password_file)
            postgres.run("createdb", DATABASE)
            yield postgres
        finally:
            _as_owner(programs / "pg_ctl", "-D", str(data), "-m", "immediate", "stop")


def _as_owner(program: Path, *arguments: str) -> None:
    subprocess.run(
        [program, *arguments],
        user=OWNER,
        group=OWNER,
        extra_groups=[] if OWNER else None,
        cwd="/",
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
