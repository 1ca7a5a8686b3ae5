"""Runs a real OMERO.web on loopback with a node's settings, and PostgreSQL, Redis and the demo image server for it."""

import getpass
import os
import pwd
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from dev.image import wheels
from harness import redis, rendered, stacks
from harness.ports import free_port
from harness.proxy import AUTHORITY, wait_for
from model.firewall import OMERO_SSL_PORT, WEB_PORT
from model.plan import Node, Plan
from model.roles import Role

ROOT = Path(__file__).resolve().parents[2]
POSTGRESQL = Path("/usr/lib/postgresql/15/bin")
START_SECONDS = 120
HOME = Path("/opt/omero/web")
CONFIG = (HOME / "config" / "idr.omero", HOME / "config" / "workers.omero")
MIDDLEWARE = HOME / "lib" / "idr_middleware.py"
EVERY_PAGE = HOME / "templates" / "idr" / "every-page.html"


@dataclass(frozen=True)
class Omero:
    """A running OMERO.web, and access to its Redis."""

    port: int
    redis: redis.Redis
    redis_operator: str
    log: Path

    @property
    def address(self) -> str:
        """Where OMERO.web listens."""
        return f"127.0.0.1:{self.port}"

    def sessions(self) -> int:
        """Return the number of Django's sessions in Redis."""
        keys = ("--user", "operator", "--scan", "--pattern", "*django.contrib.sessions*")
        return len(self.redis.ask(*keys, password=self.redis_operator).splitlines())

    def requests(self) -> list[str]:
        """Return the addresses that were requested, from its own log."""
        return [line.split('"')[1].split()[1] for line in self.log.read_text().splitlines()]


class Machine:
    """A folder and a user that is not root: neither PostgreSQL nor OMERO runs as root."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.user = "postgres" if os.geteuid() == 0 else getpass.getuser()
        folder.mkdir()
        self.give(folder)

    def give(self, path: Path) -> None:
        """Make the user the owner of a path."""
        about = pwd.getpwnam(self.user)
        os.chown(path, about.pw_uid, about.pw_gid)

    def write(self, name: str, text: str) -> Path:
        """Write a file that only the user may read."""
        path = self.folder / name
        path.write_text(text)
        path.chmod(0o600)
        self.give(path)
        return path

    def make(self, name: str) -> Path:
        """Create a folder of the user's."""
        path = self.folder / name
        path.mkdir(parents=True)
        self.give(path)
        return path

    def command(self, *words: object) -> list[str]:
        """Return a command line that runs as the user."""
        before = ["runuser", "-u", self.user, "--"] if os.geteuid() == 0 else []
        return [*before, *map(str, words)]

    def run(self, *words: object, **environment: str) -> None:
        """Run a command as the user and wait for it. Raises CalledProcessError; its output is in the folder's log."""
        with (self.folder / "log").open("ab") as log:
            subprocess.run(
                self.command(*words), env=self.environment(environment), stdout=log, stderr=log, check=True, cwd="/"
            )

    @contextmanager
    def running(self, *words: object, port: int, **environment: str) -> Iterator[None]:
        """Run a server as the user until the end of the block."""
        with (self.folder / "log").open("ab") as log:
            process = subprocess.Popen(
                self.command(*words), env=self.environment(environment), stdout=log, stderr=log, cwd="/"
            )
        try:
            wait_for(port, process, START_SECONDS)
            yield
        finally:
            process.terminate()
            process.wait()

    def environment(self, more: dict[str, str]) -> dict[str, str]:
        """Return the environment of the user's programs."""
        return {
            "PATH": f"{self.folder}/venv/bin:/usr/sbin:/usr/bin:/bin",
            "HOME": str(self.folder),
            "LC_ALL": "C.UTF-8",
            **more,
        }


@contextmanager
def running(folder: Path, plan: Plan) -> Iterator[Omero]:
    """Run OMERO.web, configured as on the plan's first web node, until the end of the block."""
    node = plan.releases[0].with_role(Role.WEB)[0]
    files = rendered.files(node, plan, stacks.secrets_of(plan.stack))
    machine = Machine(folder)
    _install(machine)
    with ExitStack() as stack:
        server = stack.enter_context(_image_server(machine, files))
        operator = stacks.secrets_of(plan.stack).password(f"{plan.releases[0].name}/redis/operator")
        servers = Omero(
            free_port(), stack.enter_context(redis.running(folder / "redis", plan)), operator, folder / "requests"
        )
        # As `omero load --glob` reads them on the machine, one after another.
        config = "".join(files[str(path)] for path in CONFIG)
        settings = _adapted(config, node, plan, servers, server, machine)
        for path in (MIDDLEWARE, EVERY_PAGE):
            _write(machine, path, files[str(path)])
        stack.enter_context(_web(machine, settings, servers.port))
        yield servers


def _install(machine: Machine) -> None:
    """Install the packages of the guest image, from the same wheels; takes seconds."""
    venv = machine.make("venv")
    uv = [sys.executable, "-m", "uv", "-q"]
    subprocess.run([*uv, "venv", "--allow-existing", "--python", wheels.PYTHON, venv], check=True)
    sources = [f"--find-links={folder}" for folder in (wheels.wheelhouse(), wheels.ice_wheel())]
    locks = [word for lock in wheels.LOCKS for word in ("-r", str(lock))]
    install = ["pip", "install", "--python", str(venv / "bin" / "python"), "--no-index", "--no-deps", *sources]
    subprocess.run([*uv, *install, "zeroc-ice"], check=True)
    subprocess.run([*uv, *install, *locks], check=True)
    shutil.copytree(ROOT / "dev" / "demo" / "demo_image_server", machine.folder / "demo" / "demo_image_server")


@contextmanager
def _image_server(machine: Machine, files: dict[str, str]) -> Iterator[int]:
    """Run PostgreSQL and the demo image server; yield the latter's port."""
    data, port, database_port = machine.folder / "data", free_port(), free_port()
    websocket_port = free_port()
    machine.run(POSTGRESQL / "initdb", "-D", data, "-U", "omero", "-A", "trust", "-E", "UTF8", "--no-sync")
    postgres = [POSTGRESQL / "postgres", "-D", data, "-k", machine.folder, "-p", database_port, "-c", "fsync=off"]
    with machine.running(*postgres, port=database_port):
        machine.run("createdb", "-h", "127.0.0.1", "-p", database_port, "-U", "omero", "idr")
        with machine.running(
            machine.folder / "venv" / "bin" / "python",
            *("-P", "-m", "demo_image_server", "serve"),
            port=port,
            PYTHONPATH=f"{machine.folder}/demo",
            DEMO_PORT=str(port),
            DEMO_WEBSOCKET_PORT=str(websocket_port),
            DEMO_CERTIFICATE=str(machine.write("server.crt", files["/etc/idr/omero/server.crt"])),
            DEMO_KEY=str(machine.write("server.key", files["/etc/idr/omero/server.key"])),
            DEMO_PUBLIC_PASSWORD_FILE=str(machine.write("public", files["/etc/idr/omero/public-password"])),
            DEMO_DB_HOST="127.0.0.1",
            DEMO_DB_PORT=str(database_port),
            DEMO_DB_NAME="idr",
            DEMO_DB_PASSWORD_FILE=str(machine.write("database", "none needed")),
        ):
            yield port


def _adapted(text: str, node: Node, plan: Plan, omero: Omero, server: int, machine: Machine) -> str:
    """Return a node's settings of OMERO.web with this machine's addresses."""
    redis_node = plan.releases[0].with_role(Role.REDIS)[0]
    for old, new in (
        (f"@{redis_node.address}:6379/", f"@127.0.0.1:{omero.redis.port}/"),
        # Its certificate has the node's address, not loopback's.
        (AUTHORITY, f"{omero.redis.folder}/ca.crt&ssl_check_hostname=false"),
        (f'["{node.address}", {OMERO_SSL_PORT},', f'["127.0.0.1", {server},'),
        (f"server.port {WEB_PORT}", f"server.port {omero.port}"),
        (f'["{HOME}/templates"]', f'["{machine.folder}/templates"]'),
    ):
        if old not in text:
            msg = f"OMERO.web's settings have no {old!r}"
            raise ValueError(msg)
        text = text.replace(old, new)
    return f"{text}config set omero.web.wsgi_args -- '--access-logfile {omero.log}'\n"


def _write(machine: Machine, path: Path, text: str) -> None:
    """Write a file of OMERO.web's to the same path in the machine's folder."""
    file = machine.folder / path.relative_to(HOME)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


@contextmanager
def _web(machine: Machine, settings: str, port: int) -> Iterator[None]:
    """Start OMERO.web like its systemd unit does."""
    home = machine.make("OMERO.web")
    for name in ("etc", "etc/grid", "var", "var/log"):
        machine.make(f"OMERO.web/{name}")
    config = machine.write("idr.omero", settings)
    environment = {"OMERODIR": str(home), "PYTHONPATH": str(machine.folder / "lib")}
    omero = machine.folder / "venv" / "bin" / "omero"
    machine.run(omero, "load", "--glob", config, **environment)
    with machine.running(omero, "web", "start", "--foreground", port=port, **environment):
        try:
            yield
        finally:
            # The started process only waits for gunicorn, which would continue to run.
            os.kill(int((home / "var" / "django.pid").read_text()), signal.SIGTERM)
